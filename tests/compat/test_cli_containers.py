"""A tour of the official docker CLI: the life of a container, verb by verb."""

import json
import os
import re
import signal
import subprocess
import time

from support.docker_cli import Docker


def up(docker: Docker, *options: str, command: tuple[str, ...] = ("sleep", "600"), word: str = "c") -> str:
    """Start a container that stays; return its name. It ignores no signal, so that stop is quick."""
    name = docker.name(word)
    docker.run("run", "-d", "--init", "--name", name, *options, "busybox", *command)
    return name


def inspect(docker: Docker, name: str, template: str) -> str:
    return str(docker.run("inspect", "-f", template, name))


def test_run_prints_output_and_gives_the_exit_code(docker: Docker) -> None:
    assert docker.run("run", "--rm", "--network", "none", "busybox", "echo", "hello") == "hello"
    done = docker.do("run", "--rm", "--network", "none", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_exit_codes_125_126_127_and_of_signals(docker: Docker) -> None:
    assert "No such image" in docker.fails("run", "--rm", "--pull", "never", "there-is-no-such-image", "true", code=125)
    docker.fails("run", "--rm", "busybox", "/etc/passwd", code=126)
    docker.fails("run", "--rm", "busybox", "/there/is/none", code=127)
    docker.fails("run", "--rm", "busybox", "sh", "-c", "sh -c 'kill -KILL $$'; exit $?", code=137)
    docker.fails("run", "--rm", "busybox", "sh", "-c", "sh -c 'kill -TERM $$'; exit $?", code=143)


def test_create_start_wait_logs_rm(docker: Docker) -> None:
    name = docker.name()
    created = docker.run("create", "--name", name, "--network", "none", "busybox", "sh", "-c", "echo one; echo two >&2; exit 3")
    assert re.fullmatch(r"[0-9a-f]{64}", created)
    assert inspect(docker, name, "{{.State.Status}}") == "created"
    assert docker.run("start", name) == name
    assert docker.run("wait", name) == "3"
    done = docker.do("logs", name)
    assert (done.stdout, done.stderr) == ("one\n", "two\n")
    assert inspect(docker, name, "{{.State.Status}} {{.State.ExitCode}}") == "exited 3"
    assert docker.run("rm", name) == name
    assert "No such container" in docker.fails("rm", name) + docker.fails("logs", name)


def test_start_attached_gives_output_and_code(docker: Docker) -> None:
    name = docker.name()
    docker.run("create", "-i", "--name", name, "busybox", "sh", "-c", "cat; exit 5")
    done = docker.do("start", "-ai", name, input="through\n")
    assert (done.returncode, done.stdout) == (5, "through\n")


def test_hostname_is_the_short_id_and_a_name_is_found(docker: Docker) -> None:
    identity = docker.run("run", "-d", "--init", "busybox", "sleep", "600")
    try:
        assert docker.run("exec", identity, "hostname") == identity[:12]
        assert re.fullmatch(r"/[a-z]+_[a-z]+\d?", inspect(docker, identity, "{{.Name}}"))
        assert inspect(docker, identity[:8], "{{.Id}}") == identity
    finally:
        docker.run("rm", "-f", identity)


def test_ps_lists_filters_formats_and_sizes(docker: Docker) -> None:
    name = up(docker, "--label", "tour=yes", "-e", "A=b")
    short = inspect(docker, name, "{{.Id}}")[:12]
    table = docker.run("ps", "--filter", f"name={name}")
    assert table.splitlines()[0].split() == ["CONTAINER", "ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    assert short in table and "Up " in table and '"sleep 600"' in table
    assert docker.run("ps", "-q", "--filter", f"name={name}", "--filter", "label=tour=yes") == short
    assert docker.run("ps", "-q", "--filter", f"name={name}", "--filter", "label=tour=no") == ""
    assert docker.run("ps", "-q", "--filter", f"name={name}", "--filter", "status=exited") == ""
    assert docker.run("ps", "-q", "--filter", f"id={short}", "--filter", "ancestor=busybox") == short
    assert docker.run("ps", "--filter", f"name={name}", "--format", "{{.Names}} {{.Image}} {{.State}}") == f"{name} busybox running"
    docker.run("exec", name, "sh", "-c", "head -c 100000 /dev/zero > /big")
    assert re.search(r"1\d\dkB \(virtual", docker.run("ps", "-s", "--filter", f"name={name}", "--format", "{{.Size}}"))
    assert json.loads(docker.run("ps", "--filter", f"name={name}", "--format", "json"))["Names"] == name
    assert docker.run("ps", "-l", "-q") == short
    docker.run("kill", name)
    docker.run("wait", name)
    assert docker.run("ps", "-aq", "--filter", f"name={name}", "--filter", "exited=137") == short


def test_stop_restart_kill(docker: Docker) -> None:
    trap = 'trap "echo got TERM; exit 9" TERM; trap "echo got HUP" HUP; echo ready; while :; do sleep 0.1; done'
    name = docker.name()
    docker.run("run", "-d", "--name", name, "busybox", "sh", "-c", trap)
    await_log(docker, name, "ready")
    docker.run("kill", "-s", "HUP", name)
    await_log(docker, name, "got HUP")
    docker.run("stop", name)
    assert inspect(docker, name, "{{.State.ExitCode}} {{.State.Running}}") == "9 false"
    docker.run("start", name)
    first = inspect(docker, name, "{{.State.StartedAt}}")
    docker.run("restart", "-t", "5", name)
    assert inspect(docker, name, "{{.State.StartedAt}}") > first
    docker.run("kill", name)
    assert docker.run("wait", name) == "137"
    assert "is not running" in docker.fails("kill", name)


def test_stop_kills_after_the_grace_period(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "-d", "--name", name, "busybox", "sleep", "600")
    docker.run("stop", "-t", "1", name)
    assert inspect(docker, name, "{{.State.ExitCode}}") == "137"


def test_pause_and_unpause(docker: Docker) -> None:
    name = up(docker)
    assert docker.run("pause", name) == name
    assert inspect(docker, name, "{{.State.Status}} {{.State.Paused}}") == "paused true"
    assert "Paused" in docker.run("ps", "--filter", f"name={name}")
    assert "is paused" in docker.fails("exec", name, "true")
    assert docker.run("unpause", name) == name
    assert docker.run("exec", name, "echo", "on") == "on"
    assert "is not paused" in docker.fails("unpause", name)


def test_rename(docker: Docker) -> None:
    name, other = up(docker), docker.name("other")
    docker.run("rename", name, other)
    assert inspect(docker, other, "{{.Name}}") == f"/{other}"
    third = up(docker, word="third")
    assert "is already in use by container" in docker.fails("rename", third, other)


def await_log(docker: Docker, name: str, text: str) -> None:
    """Return once the container has printed this."""
    deadline = time.monotonic() + 30
    while text not in docker.do("logs", name).stdout:
        assert time.monotonic() < deadline, f"{text!r} never came"
        time.sleep(0.05)


def test_logs_options(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "--name", name, "busybox", "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done")
    assert docker.run("logs", "-n", "2", name) == "line 4\nline 5"
    stamped = docker.run("logs", "-t", name).splitlines()
    times = [line.split()[0] for line in stamped]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", stamp) for stamp in times)
    assert times == sorted(times) and len(set(times)) == 5
    assert docker.run("logs", "--since", times[2], name) == "line 3\nline 4\nline 5"
    assert docker.run("logs", "--until", times[1], name).startswith("line 1")
    assert docker.run("logs", "--details", name).split() == docker.run("logs", name).split()


def test_logs_follow_ends_with_the_container(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "-d", "--name", name, "busybox", "sh", "-c", "echo first; sleep 1; echo last")
    assert docker.run("logs", "-f", name) == "first\nlast"


def test_attach_sees_output_and_proxies_signals(docker: Docker) -> None:
    name = docker.name()
    script = 'trap "echo caught; exit 4" TERM; while :; do echo tick; sleep 0.1; done'
    docker.run("run", "-d", "--name", name, "busybox", "sh", "-c", script)
    attached = subprocess.Popen(
        [docker.program, "attach", name], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=docker.environ, text=True
    )
    assert attached.stdout and attached.stdout.readline() == "tick\n"
    attached.send_signal(signal.SIGTERM)
    output, _ = attached.communicate(timeout=60)
    assert "caught" in output and attached.returncode == 4


def test_run_interactive_passes_bytes_and_half_close(docker: Docker) -> None:
    data = os.urandom(3_000_000)
    assert docker.run("run", "--rm", "-i", "--network", "none", "busybox", "cat", input=data, text=False) == data
    assert docker.run("run", "--rm", "-i", "busybox", "wc", "-c", input=data, text=False).strip() == b"3000000"


def test_exec(docker: Docker) -> None:
    name = up(docker, "-e", "BASE=1")
    assert docker.run("exec", name, "echo", "hi") == "hi"
    assert docker.run("exec", "-i", name, "cat", input="piped") == "piped"
    assert (
        docker.run("exec", "-e", "X=y", "-w", "/tmp", "-u", "www-data", name, "sh", "-c", "echo $BASE $X $(pwd) $(id -un)")
        == "1 y /tmp www-data"
    )
    docker.fails("exec", name, "sh", "-c", "exit 42", code=42)
    docker.fails("exec", name, "/there/is/none", code=127)
    docker.fails("exec", name, "/etc/passwd", code=126)
    docker.run("exec", "-d", name, "touch", "/made")
    deadline = time.monotonic() + 20
    while docker.do("exec", name, "test", "-e", "/made").returncode:
        assert time.monotonic() < deadline
    assert "no matching entries in passwd file" in docker.fails("exec", "-u", "nosuchuser", name, "true")
    docker.run("stop", name)
    assert "is not running" in docker.fails("exec", name, "true")


def test_top_and_stats(docker: Docker) -> None:
    name = up(docker)
    assert "sleep 600" in docker.run("top", name)
    assert docker.run("top", name, "-o", "pid,args").splitlines()[0].split() == ["PID", "COMMAND"]
    row = json.loads(docker.run("stats", "--no-stream", "--format", "json", name))
    assert row["Name"] == name and row["PIDs"].isdigit() and row["MemUsage"] and row["CPUPerc"].endswith("%")
    watching = subprocess.Popen(
        [docker.program, "stats", "--format", "{{.Name}}", name], stdout=subprocess.PIPE, env=docker.environ, text=True
    )
    assert watching.stdout and name in watching.stdout.readline() + watching.stdout.readline()
    watching.kill()
    watching.communicate()


def test_update(docker: Docker) -> None:
    name = up(docker, "-m", "100m")
    docker.run("update", "-m", "200m", "--memory-swap", "300m", "--restart", "on-failure:3", name)
    template = "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}"
    assert inspect(docker, name, template) == "209715200 on-failure 3"


def test_restart_policy_brings_it_back(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "-d", "--name", name, "--restart", "on-failure:2", "busybox", "sh", "-c", "echo again; exit 1")
    deadline = time.monotonic() + 30
    while inspect(docker, name, "{{.RestartCount}} {{.State.Status}}") != "2 exited":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert docker.run("logs", name).split() == ["again"] * 3


def test_diff_export_and_copy(docker: Docker, tmp_path) -> None:  # type: ignore[no-untyped-def]
    name = up(docker)
    docker.run("exec", name, "sh", "-c", "echo new > /tmp/new; echo more >> /etc/group; rm /etc/passwd")
    changes = docker.run("diff", name).splitlines()
    assert {"A /tmp/new", "C /etc/group", "D /etc/passwd", "C /etc", "C /tmp"} <= set(changes)
    exported = docker.run("export", name, text=False)
    listing = subprocess.run(["tar", "-t"], input=exported, capture_output=True).stdout.decode().split()
    assert "tmp/new" in listing and "etc/passwd" not in listing
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/file").write_text("from the host")
    docker.run("cp", str(tmp_path / "sub"), f"{name}:/opt/")
    assert docker.run("exec", name, "cat", "/opt/sub/file") == "from the host"
    docker.run("cp", f"{name}:/opt/sub/file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "from the host"
    assert (
        "tmp/new"
        in subprocess.run(["tar", "-t"], input=docker.run("cp", f"{name}:/tmp", "-", text=False), capture_output=True).stdout.decode()
    )
    assert "Could not find the file" in docker.fails("cp", f"{name}:/none", str(tmp_path))
    docker.run("stop", name)
    docker.run("cp", str(tmp_path / "back"), f"{name}:/stopped")
    assert "A /stopped" in docker.run("diff", name)


def test_container_prune_takes_only_what_is_stopped_and_matches(docker: Docker) -> None:
    docker.run("run", "--name", docker.name("gone"), "--label", f"mark={docker.mark}", "busybox", "true")
    kept = up(docker, "--label", f"mark={docker.mark}")
    answer = docker.run("container", "prune", "-f", "--filter", f"label=mark={docker.mark}")
    assert "Deleted Containers" in answer
    assert docker.run("ps", "-a", "--filter", f"name={docker.mark}", "--format", "{{.Names}}") == kept


def test_rm_refuses_what_runs_and_forces(docker: Docker) -> None:
    name = up(docker)
    assert re.search("container is running: stop the container before removing or force remove", docker.fails("rm", name))
    assert docker.run("rm", "-f", name) == name
    assert "No such container" in docker.fails("inspect", "--type", "container", name)


def test_events_tell_the_life_of_a_container(docker: Docker) -> None:
    name = docker.name()
    begin = f"{time.time():.9f}"
    docker.fails("run", "--rm", "--name", name, "busybox", "sh", "-c", "exit 6", code=6)
    lines = docker.run(
        "events", "--since", begin, "--until", f"{time.time() + 0.5:.9f}", "--filter", f"container={name}", "--format", "json"
    )
    actions = [json.loads(line)["Action"] for line in lines.splitlines()]
    assert [action for action in actions if action in {"create", "start", "die", "destroy"}] == ["create", "start", "die", "destroy"]
    died = next(json.loads(line) for line in lines.splitlines() if '"die"' in line)
    assert died["Actor"]["Attributes"]["exitCode"] == "6"
