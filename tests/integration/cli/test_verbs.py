"""Every verb does its work on a real daemon."""

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from argosy.client import containers, execs, images
from argosy.client.aio import AsyncClient

from .conftest import PEER, Bench  # type: ignore[import-not-found]

pytestmark = pytest.mark.root


def test_a_life_from_create_to_rm(bench: Bench) -> None:
    a, name = bench.argosy, bench.name()
    a.out("create", "--name", name, "-i", bench.image, "sh", "-c", "echo started; cat; exit 4")
    assert a.out("ps", "-a", "--filter", f"name={name}", "--format", "{{.State}}") == "created"
    done = a("start", "-ai", name, stdin="typed\n")
    assert (done.returncode, done.stdout) == (4, b"started\ntyped\n")
    assert a.out("logs", name) == "started\ntyped"
    assert a.out("logs", "--tail", "1", name) == "typed"
    a.out("rename", name, name + "2")
    a.out("start", name + "2")
    assert a.out("stop", "-t", "0", name + "2") == name + "2"
    a.out("restart", "-t", "0", name + "2")
    a.out("pause", name + "2")
    assert "(Paused)" in a.out("ps", "--filter", f"name={name}", "--format", "{{.Status}}")
    a.out("unpause", name + "2")
    a.out("update", "--restart", "no", "-m", "64m", "--memory-swap", "64m", name + "2")
    assert a.out("inspect", "-f", "{{.HostConfig.Memory}}", name + "2") == str(64 << 20)
    a.out("kill", name + "2")
    assert a.out("wait", name + "2") == "137"
    assert a.out("rm", name + "2") == name + "2"
    assert a("rm", name + "2").returncode == 1
    assert a("rm", "-f", name + "2").returncode == 0


def test_pipes_carry_every_byte(bench: Bench) -> None:
    data = os.urandom(3 << 20)
    done = bench.argosy("run", "-i", "--rm", bench.image, "cat", stdin=data)
    assert (done.returncode, done.stdout == data) == (0, True)
    name = bench.name()
    bench.argosy.out("run", "-d", "--name", name, bench.image, "sleep", "100")
    done = bench.argosy("exec", "-i", name, "cat", stdin=data)
    assert (done.returncode, done.stdout == data) == (0, True)
    done = bench.argosy("exec", name, "sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_files_go_in_and_out(bench: Bench, tmp_path: Path) -> None:
    a, name = bench.argosy, bench.name()
    a.out("run", "-d", "--name", name, bench.image, "sleep", "100")
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "f").write_text("content")
    os.chown(source / "sub" / "f", 1234, 1235)
    (source / "link").symlink_to("sub/f")
    a.out("cp", str(source), f"{name}:/tmp")
    assert a.out("exec", name, "cat", "/tmp/source/link") == "content"
    a.out("cp", f"{source}/.", f"{name}:/tmp/new")
    assert a.out("exec", name, "stat", "-c", "%u:%g", "/tmp/new/sub/f") == "1234:1235"
    a.out("cp", f"{name}:/tmp/source", str(tmp_path / "back"))
    assert (tmp_path / "back" / "sub" / "f").read_text() == "content"
    assert (tmp_path / "back" / "link").is_symlink()
    assert (tmp_path / "back" / "sub" / "f").stat().st_uid == 0
    a.out("cp", "-a", f"{name}:/tmp/source", str(tmp_path / "kept"))
    assert (tmp_path / "kept" / "sub" / "f").stat().st_uid == 1234
    a.out("cp", "-L", f"{name}:/tmp/source/link", str(tmp_path / "followed"))
    assert (tmp_path / "followed").read_text() == "content"
    with tarfile.open(fileobj=io.BytesIO(a("cp", f"{name}:/etc/passwd", "-").stdout)) as archive:
        assert archive.getnames() == ["passwd"]
    a.out("cp", "-", f"{name}:/tmp", stdin=a("cp", f"{name}:/etc/passwd", "-").stdout)
    assert "root" in a.out("exec", name, "cat", "/tmp/passwd")
    for words, message in (
        ((f"{name}:/none", str(tmp_path)), b"Could not find the file /none in container"),
        ((str(tmp_path / "none"), f"{name}:/tmp"), b"no such file or directory"),
        ((str(source), f"{name}:/etc/passwd"), b"cannot copy directory"),
        ((str(source / "link"), f"{name}:/tmp/nodir/"), b"no such directory"),
    ):
        done = a("cp", *words)
        assert done.returncode == 1
        assert message in done.stderr
    assert "A /tmp/source" in a.out("diff", name)


def test_images_travel(bench: Bench, tmp_path: Path) -> None:
    a, name = bench.argosy, bench.name("img")
    container = bench.name()
    a.out("run", "--name", container, bench.image, "touch", "/made")
    assert a.out("commit", "-m", "why", "-c", "ENV A=1", container, f"{name}:1").startswith("sha256:")
    assert "A=1" in a.out("image", "inspect", "-f", "{{.Config.Env}}", f"{name}:1")
    a.out("tag", f"{name}:1", f"{name}:2")
    a.out("save", "-o", str(tmp_path / "i.tar"), f"{name}:1", f"{name}:2")
    assert "Untagged" in a.out("rmi", f"{name}:1", f"{name}:2")
    assert sorted(a.out("load", "-i", str(tmp_path / "i.tar")).splitlines()) == [f"Loaded image: {name}:{tag}" for tag in (1, 2)]
    assert a.out("run", "--rm", f"{name}:1", "ls", "/made") == "/made"
    saved = a("save", f"{name}:2").stdout
    a.out("rmi", f"{name}:2")
    assert a.out("load", "-q", stdin=saved) == f"Loaded image: {name}:2"
    exported = a("export", container).stdout
    a.out("import", "-", f"{name}:3", stdin=exported)
    assert len(a.out("history", "-q", f"{name}:3").splitlines()) == 1
    assert not list(tmp_path.glob("*.part"))


def test_networks_and_volumes(bench: Bench) -> None:
    a, net, vol, name = bench.argosy, bench.name("n"), bench.name("v"), bench.name()
    a.out("network", "create", "--label", "a=b", net)
    assert a.out("network", "inspect", "-f", "{{.Name}} {{.Labels.a}}", net) == f"{net} b"
    assert a.out("volume", "create", "--label", "a=b", vol) == vol
    a.out("run", "-d", "--name", name, "-v", f"{vol}:/data", bench.image, "sh", "-c", "echo kept > /data/f; sleep 100")
    a.out("network", "connect", "--alias", "w", net, name)
    assert net in a.out("inspect", "-f", "{{json .NetworkSettings.Networks}}", name)
    a.out("network", "disconnect", net, name)
    assert a("volume", "rm", vol).returncode == 1
    a.out("rm", "-f", name)
    assert a.out("run", "--rm", "-v", f"{vol}:/data:ro", bench.image, "cat", "/data/f") == "kept"
    assert a.out("volume", "rm", vol) == vol
    assert a.out("network", "rm", net) == net


def test_system(bench: Bench) -> None:
    a = bench.argosy
    assert a.out("system", "df").splitlines()[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert json.loads(a.out("version", "--format", "json"))["Server"]["ApiVersion"]
    name = bench.name()
    a.out("run", "--rm", "--name", name, bench.image, "true")
    seen = a.out("events", "--since", "10m", "--until", "0s", "--filter", f"container={name}", "--format", "{{.Action}}").split()
    assert [one for one in seen if one in ("create", "start", "die", "destroy")] == ["create", "start", "die", "destroy"]
    assert a.out("stats", "--no-stream").startswith("CONTAINER ID")
    assert a("doctor", "--format", "json").stdout.startswith(b"[")
    done = a("container", "prune", stdin="n\n")
    assert (done.returncode, b"Are you sure" in done.stdout) == (1, True)


def test_execs_are_listed_and_ended(bench: Bench) -> None:
    if bench.host == PEER:
        pytest.skip("Docker has no list of execs")
    a, name = bench.argosy, bench.name()
    a.out("run", "-d", "--name", name, bench.image, "sleep", "100")
    a.out("exec", "-d", name, "sleep", "50")
    identifier = a.out("container", "execs", "-q", "--no-trunc", name)
    assert "sleep 50" in a.out("container", "execs", name)
    assert a.out("container", "exec-kill", identifier) == identifier


def test_cid_files_and_automatic_removal(bench: Bench, tmp_path: Path) -> None:
    a = bench.argosy
    file = tmp_path / "cid"
    assert a("run", "--rm", "--cidfile", str(file), bench.image, "true").returncode == 0
    assert len(file.read_text()) == 64
    assert a("inspect", file.read_text()).returncode == 1
    done = a("run", "--rm", "--cidfile", str(file), bench.image, "true")
    assert b"container ID file found" in done.stderr


def test_a_checkpoint_is_refused_not_overlooked(bench: Bench) -> None:
    a, name = bench.argosy, bench.name()
    a.out("create", "--name", name, bench.image, "true")
    for words in (("--checkpoint", "c", name), ("-a", "--checkpoint", "c", name)):
        done = a("start", *words)
        assert done.returncode == 1
        assert b"checkpoint" in done.stderr
    assert a.out("inspect", "-f", "{{.State.Status}}", name) == "created"
    assert a("start", "--checkpoint", "c", name, name).stderr == b"you cannot restore multiple containers at once\n"


def test_a_container_speaks_to_the_daemon_with_the_users_logins(bench: Bench, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.json").write_text('{"auths": {"reg.example": {"auth": "dTpw"}}}')
    script = "ls -l $DOCKER_CONFIG/config.json; cat $DOCKER_CONFIG/config.json; echo; test -S /var/run/docker.sock && echo socket"
    words = ("--config", str(config), "run", "--rm", "--name", bench.name(), "--use-api-socket")
    listed, logins, socket = bench.argosy.out(*words, bench.image, "sh", "-c", script).splitlines()
    assert listed.startswith("-rw-------")
    assert json.loads(logins) == {"auths": {"reg.example": {"auth": "dTpw"}}}
    assert socket == "socket"


def test_names_are_completed_from_the_daemon(bench: Bench) -> None:
    name = bench.name("tab")
    bench.argosy.out("create", "--name", name, bench.image)
    assert bench.argosy.out("__complete", "rm", name[:-1]).startswith(name + "\t")
    assert bench.argosy.out("__complete", "rm", name, name[:-1]) == ""
    assert bench.argosy.out("__complete", "run", bench.image[:-2]).startswith(bench.image)
    assert bench.argosy.out("__complete", "cp", name[:-1]).startswith(name + ":")


def test_bash_completes_a_name(bench: Bench, tmp_path: Path) -> None:
    name = bench.name("tab")
    bench.argosy.out("create", "--name", name, bench.image)
    program = tmp_path / "argosy"
    program.write_text(f'#!/bin/sh\nexec {" ".join(bench.argosy.words)} "$@"\n')
    program.chmod(0o755)
    line = f"argosy rm {name[:-1]}"
    script = (
        f"source <(argosy completion bash); COMP_LINE='{line}'; COMP_POINT={len(line)}; COMP_WORDS=({line}); COMP_CWORD=2; "
        '_argosy_complete; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environ = {**bench.argosy.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [name], done.stderr


def test_another_machine_is_reached_by_ssh(bench: Bench, tmp_path: Path) -> None:
    """With a program called ssh that runs what it is told here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "argosy").write_text(f'#!/bin/sh\nexec {" ".join(bench.argosy.words)} "$@"\n')
    (folder / "ssh").write_text('#!/bin/sh\nfor last; do :; done\neval "exec $last"\n')
    for file in folder.iterdir():
        file.chmod(0o755)
    environ = {**bench.argosy.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    words = [*bench.argosy.words[:-2], "-H", "ssh://me@far"]
    done = subprocess.run([*words, "run", "-i", "--rm", bench.image, "cat"], input=b"over", capture_output=True, env=environ, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"over"), done.stderr


async def test_the_library_does_the_same(bench: Bench) -> None:
    from argosy.client.endpoint import find

    async with AsyncClient(find({}, host=bench.host)) as client:
        names = [tag for row in await client.call(images.list_()) for tag in row["RepoTags"] or []]
        assert f"{bench.image}:latest" in names
        made = await client.call(containers.create({"Image": bench.image, "Cmd": ["sleep", "100"]}, bench.name("lib")))
        await client.call(containers.start(made["Id"]))
        run = await client.call(execs.create(made["Id"], {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True, "Tty": False}))
        channel = await client.hijack(execs.start(run["Id"]))
        await channel.write(b"ping")
        channel.write_eof()
        got = b""
        while piece := await channel.read():
            got += piece
        await channel.close()
        assert got == b"\x01\0\0\0\0\0\0\4ping"
        await client.call(containers.remove(made["Id"], force=True))
