"""A tour of the official docker CLI: the options of run, each seen from inside the container."""

import json
import re
from pathlib import Path

import pytest

from support.docker_cli import Docker


def shell(docker: Docker, script: str, *options: str) -> str:
    """Run a script in a container that is removed; return what it printed."""
    return str(docker.run("run", "--rm", *options, "busybox", "sh", "-c", script))


def test_environment_and_files(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# comment\nFROM_FILE=1\nTWICE=file\n")
    (tmp_path / "labels").write_text("one=1\n")
    assert (
        shell(docker, "echo $A $FROM_FILE $TWICE", "-e", "A=x y", "--env-file", str(tmp_path / "env"), "-e", "TWICE=flag") == "x y 1 flag"
    )
    name, cid = docker.name(), tmp_path / "cid"
    docker.run("run", "--name", name, "--cidfile", str(cid), "--label-file", str(tmp_path / "labels"), "-l", "two=2", "busybox", "true")
    view = json.loads(docker.run("inspect", name))[0]
    assert view["Id"] == cid.read_text() and view["Config"]["Labels"] == {"one": "1", "two": "2"}


def test_user_groups_workdir_and_hostname(docker: Docker) -> None:
    assert shell(docker, "id -u; id -g; id -G", "-u", "www-data") == "33\n33\n33"
    assert shell(docker, "id -u; id -g", "-u", "1234:staff") == "1234\n50"
    assert shell(docker, "id -G", "-u", "33", "--group-add", "audio", "--group-add", "777").split() == ["33", "29", "777"]
    assert "unable to find user nobodyhere" in docker.fails("run", "--rm", "-u", "nobodyhere", "busybox", "true")
    assert shell(docker, "pwd", "-w", "/new/folder") == "/new/folder"
    assert shell(docker, "hostname; hostname -d 2>/dev/null || true", "-h", "box").splitlines()[0] == "box"


def test_hosts_and_dns(docker: Docker) -> None:
    hosts = shell(docker, "cat /etc/hosts", "--add-host", "some.where:10.9.8.7", "--hostname", "me")
    assert re.search(r"^10\.9\.8\.7\s+some\.where$", hosts, re.M) and re.search(r"\sme$", hosts, re.M) and "localhost" in hosts
    resolver = shell(docker, "cat /etc/resolv.conf", "--dns", "10.1.1.1", "--dns-search", "example.org", "--dns-option", "ndots:3")
    assert "nameserver 10.1.1.1" in resolver and "search example.org" in resolver and "ndots:3" in resolver


def test_read_only_tmpfs_and_shm(docker: Docker) -> None:
    docker.fails("run", "--rm", "--read-only", "busybox", "touch", "/file", code=1)
    shell(docker, "touch /tmp/file /dev/shm/file", "--read-only", "--tmpfs", "/tmp")
    assert re.search(r" /scratch tmpfs .*size=1024k", shell(docker, "grep scratch /proc/mounts", "--tmpfs", "/scratch:size=1m,noexec"))
    assert shell(docker, "df -k /dev/shm | tail -1").split()[1] == "65536"
    assert shell(docker, "df -k /dev/shm | tail -1", "--shm-size", "8m").split()[1] == "8192"
    assert "tmpfs" in shell(docker, "grep ' /t ' /proc/mounts", "--mount", "type=tmpfs,dst=/t,tmpfs-size=1m")


def test_binds(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("host")
    assert shell(docker, "cat /in/file", "-v", f"{tmp_path}:/in") == "host"
    docker.fails("run", "--rm", "-v", f"{tmp_path}:/in:ro", "busybox", "touch", "/in/new", code=1)
    assert shell(docker, "cat /one", "--mount", f"type=bind,src={tmp_path}/file,dst=/one,readonly") == "host"
    assert "bind source path does not exist" in docker.fails(
        "run", "--rm", "--mount", "type=bind,src=/there/is/none,dst=/x", "busybox", "true", code=125
    )
    shell(docker, "true", "-v", f"{tmp_path}/made/here:/x")
    assert (tmp_path / "made/here").is_dir()


def test_confinement_by_default(docker: Docker) -> None:
    status = dict(line.split(":\t", 1) for line in docker.run("run", "--rm", "busybox", "cat", "/proc/self/status").splitlines())
    assert status["CapEff"] == "00000000a80425fb" and status["Seccomp"] == "2" and status["NoNewPrivs"] == "0"
    assert int(status["SigIgn"], 16) == 0
    assert shell(docker, "ls /proc/self/fd").split()[:3] == ["0", "1", "2"]
    assert shell(docker, "echo $$") == "1"
    docker.fails("run", "--rm", "busybox", "unshare", "-U", "true", code=1)
    docker.fails("run", "--rm", "busybox", "sh", "-c", "echo 1 > /proc/sys/kernel/randomize_va_space")
    docker.fails("run", "--rm", "busybox", "mount", "-t", "tmpfs", "x", "/tmp")


def test_capabilities_privileged_and_security_options(docker: Docker) -> None:
    assert "00000000a80425fa" in shell(docker, "grep CapEff /proc/self/status", "--cap-drop", "CHOWN")
    assert "0000000000000000" in shell(docker, "grep CapEff /proc/self/status", "--cap-drop", "ALL")
    assert "00000000a80435fb" in shell(docker, "grep CapEff /proc/self/status", "--cap-add", "NET_ADMIN")
    assert re.search("unknown capability: .CAP_NO_SUCH", docker.fails("create", "--cap-add", "NO_SUCH", "busybox"))
    assert shell(
        docker,
        "grep -E 'NoNewPrivs|^Seccomp:' /proc/self/status",
        "--security-opt",
        "no-new-privileges",
        "--security-opt",
        "seccomp=unconfined",
    ).split() == [
        "NoNewPrivs:",
        "1",
        "Seccomp:",
        "0",
    ]
    assert "Seccomp:\t0" in shell(
        docker, "grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp; test -e /dev/loop-control || test -e /dev/kmsg", "--privileged"
    )


def test_devices(docker: Docker) -> None:
    assert "crw" in shell(docker, "ls -l /dev/renamed", "--device", "/dev/zero:/dev/renamed")
    assert {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "mqueue", "fd", "stdin", "stdout", "stderr"} <= set(
        shell(docker, "ls /dev").split()
    )
    docker.fails("run", "--rm", "busybox", "sh", "-c", "mknod /x b 8 0 && head -c 1 /x")


def test_resource_limits_reach_the_cgroup(docker: Docker) -> None:
    def value(v1: str, v2: str, *options: str) -> str:
        return shell(docker, f"cat /sys/fs/cgroup/{v1} 2>/dev/null || cat /sys/fs/cgroup/{v2}", *options)

    assert value("memory/memory.limit_in_bytes", "memory.max", "-m", "64m") == str(64 << 20)
    assert value("pids/pids.max", "pids.max", "--pids-limit", "77") == "77"
    assert value("cpu/cpu.cfs_quota_us", "cpu.max", "--cpus", "0.5").split()[0] == "50000"
    assert value("cpu/cpu.shares", "cpu.weight", "-c", "512") in {"512", "20", "59"}
    assert value("cpuset/cpuset.cpus", "cpuset.cpus", "--cpuset-cpus", "0") == "0"
    assert "Minimum memory limit allowed is 6MB" in docker.fails("create", "-m", "1m", "busybox")


def test_ulimits_sysctls_and_oom_score(docker: Docker) -> None:
    assert shell(docker, "ulimit -n; ulimit -H -n", "--ulimit", "nofile=100:200") == "100\n200"
    assert shell(docker, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "--sysctl", "net.ipv4.ip_unprivileged_port_start=99") == "99"
    assert shell(docker, "cat /proc/self/oom_score_adj", "--oom-score-adj", "321") == "321"
    assert "no such file or directory" in docker.fails("run", "--rm", "--sysctl", "net.ipv4.nosuch=1", "busybox", "true")


def test_the_oom_killer_is_told(docker: Docker) -> None:
    name = docker.name()
    docker.do("run", "--name", name, "-m", "16m", "--memory-swap", "16m", "busybox", "sh", "-c", "tail /dev/zero")
    assert docker.run("inspect", "-f", "{{.State.OOMKilled}} {{.State.ExitCode}}", name) == "true 137"


def test_init_reaps_and_stops_at_once(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "-d", "--init", "--name", name, "busybox", "sh", "-c", "sleep 600")
    docker.run("exec", name, "sh", "-c", "(sleep 0.1 &) ; true")
    docker.run("stop", "-t", "30", name)
    assert docker.run("inspect", "-f", "{{.State.ExitCode}}", name) == "143"


@pytest.mark.parametrize("kind", ["pid", "ipc", "network", "uts"])
def test_namespaces_of_the_host(docker: Docker, kind: str) -> None:
    file = {"network": "net"}.get(kind, kind)
    own = shell(docker, f"readlink /proc/self/ns/{file}")
    with_host = [shell(docker, f"readlink /proc/self/ns/{file}", f"--{kind}", "host") for _ in range(2)]
    assert with_host[0] == with_host[1] != own


def test_namespaces_of_another_container(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "-d", "--init", "--ipc", "shareable", "--name", name, "busybox", "sleep", "600")
    for kind, file in (("pid", "pid"), ("ipc", "ipc"), ("network", "net")):
        there = docker.run("exec", name, "readlink", f"/proc/self/ns/{file}")
        assert shell(docker, f"readlink /proc/self/ns/{file}", f"--{kind}", f"container:{name}") == there
    assert shell(docker, "ls /sys/class/net", "--network", "none") == "lo"


def test_stop_signal_and_timeout(docker: Docker) -> None:
    name = docker.name()
    script = 'trap "exit 33" USR1; echo ready; while :; do sleep 0.1; done'
    docker.run("run", "-d", "--name", name, "--stop-signal", "USR1", "--stop-timeout", "20", "busybox", "sh", "-c", script)
    while "ready" not in docker.run("logs", name):
        pass
    docker.run("stop", name)
    assert docker.run("inspect", "-f", "{{.State.ExitCode}}", name) == "33"


def test_entrypoint_and_pull_never(docker: Docker) -> None:
    assert docker.run("run", "--rm", "--entrypoint", "/bin/echo", "busybox", "a", "b") == "a b"
    assert "No such image: nosuch:latest" in docker.fails("run", "--rm", "--pull", "never", "nosuch", code=125)


def test_log_drivers(docker: Docker) -> None:
    none, local, rotated = docker.name("none"), docker.name("local"), docker.name("rotated")
    docker.run("run", "--name", none, "--log-driver", "none", "busybox", "echo", "x")
    assert "configured logging driver does not support reading" in docker.fails("logs", none)
    docker.run("run", "--name", local, "--log-driver", "local", "busybox", "echo", "x")
    assert docker.run("logs", local) == "x"
    docker.run("run", "--name", rotated, "--log-opt", "max-size=4k", "--log-opt", "max-file=2", "busybox", "sh", "-c", "seq 1000")
    assert docker.run("logs", rotated).splitlines()[-1] == "1000"
    docker.fails("run", "--rm", "--log-driver", "nosuch", "busybox", "true", code=125)


def test_bad_input_gets_docker_s_words(docker: Docker) -> None:
    name = docker.name()
    docker.run("create", "--name", name, "busybox", "true")
    assert "Conflict. The container name" in docker.fails("create", "--name", name, "busybox", "true")
    assert re.search("invalid reference format|must be lowercase", docker.fails("create", "UPPER"))
    assert "network nosuchnet not found" in docker.fails("run", "--rm", "--network", "nosuchnet", "busybox", "true", code=125)
    assert "ange of CPUs is from" in docker.fails("create", "--cpus", "9999", "busybox")
    assert "invalid restart policy" in docker.fails("create", "--restart", "sometimes", "busybox")
    assert "executable file not found in $PATH" in docker.fails("run", "--rm", "busybox", "nosuchprogram", code=127)
