"""SELinux with a policy that is enforced: what a container may reach, and what it is told to be.

Runs after `test_selinux_labels`, which wants none.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon
from vm.inside.using import begin, inside, inspect, refusal, remove, run

ROOT = Path(__file__).parent
PROCESS, FILE = "system_u:system_r:container_t:", "system_u:object_r:container_file_t:"
HOST = "system_u:object_r:var_lib_t:s0"
CURRENT = "tr -d '\\000' </proc/self/attr/current"


@pytest.fixture(scope="module", autouse=True)
def policy() -> Iterator[None]:
    """Debian's policy with containers' types, enforced."""
    subprocess.run(["mount", "-t", "selinuxfs", "selinuxfs", "/sys/fs/selinux"], check=True)
    subprocess.run(["semodule", "-n", "-i", str(ROOT / "container.cil")], check=True, capture_output=True)
    subprocess.run(["load_policy", "-i"], check=True)
    subprocess.run(["setenforce", "1"], check=True)
    yield
    subprocess.run(["setenforce", "0"], check=True)


@pytest.fixture(scope="module")
def arguments(policy: None) -> list[str]:
    return ["--selinux-enabled"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory of the host's, labelled as such, with a file and a link that leads out of it."""
    place = tmp_path / "tree"
    (place / "deep").mkdir(parents=True)
    (place / "deep/file").write_text("content")
    (tmp_path / "outside").write_text("not yours")
    (place / "link").symlink_to("../outside")
    for path in (tmp_path, place, place / "deep", place / "deep/file", tmp_path / "outside"):
        os.setxattr(path, "security.selinux", HOST.encode())
    return place


def label(path: Path) -> str:
    return os.getxattr(path, "security.selinux", follow_symlinks=False).decode().rstrip("\0")


def process(pid: int) -> str:
    return Path(f"/proc/{pid}/attr/current").read_text().rstrip("\0\n")


def level(found: str) -> str:
    return found.split(":", 3)[3]


def test_it_is_told(daemon: Daemon) -> None:
    assert "name=selinux" in daemon.api("GET", "/info")["SecurityOptions"]
    assert "with --selinux-enabled" in daemon.argosy("doctor").stdout


def test_a_container_has_a_level_of_its_own_for_processes_files_and_execs(daemon: Daemon) -> None:
    one, two = (begin(daemon, name, "busybox", "sleep", "600") for name in ("one", "two"))
    for made in (one, two):
        own = made["ProcessLabel"]
        assert re.fullmatch(re.escape(PROCESS) + r"s0:c\d+,c\d+", own) and made["MountLabel"] == FILE + level(own)
        assert process(made["State"]["Pid"]) == own
        assert inside(daemon, made["Id"], CURRENT) == own
        assert daemon.argosy("exec", "--privileged", made["Id"], "sh", "-c", CURRENT).stdout == own
    assert level(one["ProcessLabel"]) != level(two["ProcessLabel"])
    # All that it sees, the files it makes, /dev, /dev/shm, mqueue and what the daemon mounts over /etc.
    inside(daemon, "one", "echo x >/new")
    for path in ("/bin", "/new", "/dev", "/dev/null", "/dev/shm", "/dev/mqueue", "/etc/hosts", "/etc/resolv.conf"):
        assert label(Path(f"/proc/{one['State']['Pid']}/root{path}")) == one["MountLabel"], path
    assert inside(daemon, "one", "cat /etc/hosts | wc -l") != "0"
    for name in ("one", "two"):
        remove(daemon, name)


def test_the_label_stays_over_restarts_of_container_and_daemon(daemon: Daemon) -> None:
    before = begin(daemon, "stays", "busybox", "sleep", "600")
    daemon.api("POST", "/containers/stays/restart?t=0", timeout=300)
    daemon.kill()
    daemon.start()
    after = inspect(daemon, "stays")
    assert after["ProcessLabel"] == before["ProcessLabel"] == process(after["State"]["Pid"])
    assert inside(daemon, "stays", CURRENT) == before["ProcessLabel"]
    remove(daemon, "stays")


def test_files_of_the_host_are_refused_until_they_are_relabelled(daemon: Daemon, tree: Path) -> None:
    read = ["busybox", "cat", "/data/deep/file"]
    assert "denied" in refusal(daemon, "-v", f"{tree}:/data", *read)
    assert label(tree / "deep/file") == HOST
    assert run(daemon, "-v", f"{tree}:/data:z", *read) == "content"
    assert label(tree) == label(tree / "deep/file") == label(tree / "link") == f"{FILE}s0"
    # Links are labelled, not followed; another container may use it, too, and without asking again.
    assert label(tree.parent / "outside") == HOST
    assert run(daemon, "-v", f"{tree}:/data", *read) == "content"
    assert run(daemon, "-v", f"{tree}:/data:z", "busybox", "sh", "-c", "echo new >/data/new; cat /data/new") == "new"


def test_private_files_are_one_containers_alone(daemon: Daemon, tree: Path) -> None:
    made = begin(daemon, "owner", "-v", f"{tree}:/data:Z", "busybox", "sleep", "600")
    assert label(tree / "deep/file") == made["MountLabel"]
    assert inside(daemon, "owner", "cat /data/deep/file") == "content"
    assert "denied" in refusal(daemon, "-v", f"{tree}:/data", "busybox", "cat", "/data/deep/file")
    same = ["--security-opt", f"label=level:{level(made['ProcessLabel'])}"]
    assert run(daemon, *same, "-v", f"{tree}:/data", "busybox", "cat", "/data/deep/file") == "content"
    remove(daemon, "owner")


def test_a_container_cannot_reach_anothers_files_even_where_it_sees_them(daemon: Daemon) -> None:
    made = begin(daemon, "victim", "busybox", "sh", "-c", "echo secret >/secret; exec sleep 600")
    inside(daemon, "victim", "until [ -s /secret ]; do sleep 0.1; done")
    upper = made["GraphDriver"]["Data"]["UpperDir"]
    assert "denied" in refusal(daemon, "-v", f"{upper}:/upper", "busybox", "cat", "/upper/secret")
    assert run(daemon, "--security-opt", "label=disable", "-v", f"{upper}:/upper", "busybox", "cat", "/upper/secret") == "secret"
    remove(daemon, "victim")


def test_volumes_are_shared(daemon: Daemon) -> None:
    assert run(daemon, "-v", "kept:/data", "busybox", "sh", "-c", "echo x >/data/x; cat /data/x") == "x"
    assert run(daemon, "-v", "kept:/data", "busybox", "cat", "/data/x") == "x"
    assert run(daemon, "-v", "/data", "busybox", "sh", "-c", "echo y >/data/y; cat /data/y") == "y"
    daemon.api("DELETE", "/volumes/kept")


@pytest.mark.parametrize("source", ["/usr", "/etc", "/"])
def test_the_machines_directories_are_not_relabelled(source: str, daemon: Daemon) -> None:
    told = refusal(daemon, "-v", f"{source}:/x:Z", "busybox", "true")
    assert f"error setting label on mount source '{source}': SELinux relabeling of {source} is not allowed" in told


def test_options_change_the_label(daemon: Daemon) -> None:
    def of(*words: str) -> str:
        return run(daemon, *words, "busybox", "sh", "-c", CURRENT)

    assert of("--security-opt", "label=level:s0:c100,c200") == f"{PROCESS}s0:c100,c200"
    assert of("--security-opt", "label=type:spc_t").startswith("system_u:system_r:spc_t:s0:c")
    told = daemon.argosy("create", "--security-opt", "label=colour:red", "busybox", "true").stderr
    assert "bad label option \"colour\", valid options 'disable, user, role, level, type, filetype'" in told
    assert "SELinux label" in refusal(daemon, "--security-opt", "label=type:nothing_t", "busybox", "true")


@pytest.mark.parametrize("words", [["--security-opt", "label=disable"], ["--privileged"], ["--pid", "host"], ["--ipc", "host"]])
def test_who_is_not_confined_has_no_label(words: list[str], daemon: Daemon, tree: Path) -> None:
    made = begin(daemon, "free", *words, "-v", f"{tree}:/data", "busybox", "sleep", "600")
    assert (made["ProcessLabel"], made["MountLabel"]) == ("", f"{FILE}s0:c1022,c1023")
    assert made["HostConfig"]["SecurityOpt"] == ["label=disable"]
    assert process(made["State"]["Pid"]) == process(os.getpid())
    assert inside(daemon, "free", "cat /data/deep/file") == "content"
    remove(daemon, "free")


@pytest.mark.parametrize("kind", ["ipc", "pid"])
def test_who_shares_is_labelled_alike(kind: str, daemon: Daemon) -> None:
    first = begin(daemon, "first", "--ipc", "shareable", "busybox", "sleep", "600")
    joined = begin(daemon, "joined", f"--{kind}", "container:first", "busybox", "sleep", "600")
    assert joined["ProcessLabel"] == first["ProcessLabel"] == process(joined["State"]["Pid"])
    for name in ("joined", "first"):
        remove(daemon, name)


def test_a_joined_network_shares_its_files(daemon: Daemon) -> None:
    begin(daemon, "first", "busybox", "sleep", "600")
    joined = ["--network", "container:first", "busybox", "sh", "-c", "cat /etc/hosts >/dev/null && echo read"]
    assert run(daemon, *joined) == "read"
    assert inside(daemon, "first", "cat /etc/hosts >/dev/null && echo read") == "read"
    remove(daemon, "first")


def test_mounts_of_tmpfs_and_images_have_the_label(daemon: Daemon) -> None:
    words = ["--tmpfs", "/scratch", "--mount", "type=image,source=busybox,target=/image", "-v", "/anonymous"]
    made = begin(daemon, "mounts", *words, "busybox", "sleep", "600")
    assert inside(daemon, "mounts", "echo x >/scratch/x; cat /scratch/x; /image/bin/busybox echo run") == "x\nrun"
    for path in ("/scratch", "/image", "/image/bin/busybox"):
        assert label(Path(f"/proc/{made['State']['Pid']}/root{path}")) == made["MountLabel"], path
    remove(daemon, "mounts")


@pytest.mark.parametrize("words", [["--init"], ["-t"], ["-u", "33"], ["--read-only"]])
def test_the_usual_works_under_it(words: list[str], daemon: Daemon) -> None:
    assert PROCESS in run(daemon, *words, "busybox", "sh", "-c", CURRENT)


def test_a_build_is_labelled_too(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM busybox\nRUN {CURRENT} >/label && echo >>/label\n")
    done = daemon.argosy("build", "-t", "built", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert PROCESS in run(daemon, "built", "cat", "/label")


def test_cp_in_and_out(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("given")
    made = begin(daemon, "copied", "busybox", "sleep", "600")
    assert daemon.argosy("cp", str(tmp_path / "given"), "copied:/given").returncode == 0
    assert inside(daemon, "copied", "cat /given") == "given"
    assert label(Path(f"/proc/{made['State']['Pid']}/root/given")) == made["MountLabel"]
    remove(daemon, "copied")
