"""Volumes that are a mount: there when a container runs, filled from the image, gone after the last one, sound after a crash."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.daemon.steps import executed, start, until
from support.daemon import Daemon

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

MEMORY = {"type": "tmpfs", "device": "tmpfs", "o": "size=8m,mode=1755"}


def with_volume(name: str, target: str, **options: str) -> dict[str, object]:
    driver = {"DriverConfig": {"Name": "local", "Options": options}} if options else {}
    return {"Mounts": [{"Type": "volume", "Source": name, "Target": target, "VolumeOptions": driver}]}


def mounted(daemon: Daemon, name: str) -> bool:
    point = f"{daemon.data_root}/volumes/{name}/_data"
    return any(line.split()[4] == point for line in Path("/proc/self/mountinfo").read_text().splitlines())


def refusal(daemon: Daemon, name: str) -> tuple[int, str]:
    status, _, answer = daemon.api.raw("POST", f"/containers/{name}/start")
    return status, json.loads(answer)["message"] if answer else ""


def test_a_tmpfs_volume_is_filled_when_it_is_mounted_and_shared_until_the_last_one_stops(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    # Over the image's own /bin: without the copy the first command would not be found.
    start(daemon, "first", "sleep 600", **with_volume("memory", "/bin", **MEMORY))
    assert executed(daemon, "first", "sh", "-c", "stat -f -c %T /bin; echo here > /bin/note") == (0, "tmpfs\n")
    start(daemon, "second", "sleep 600", **with_volume("memory", "/bin"))
    assert executed(daemon, "second", "cat", "/bin/note") == (0, "here\n")
    daemon.api("POST", "/containers/first/stop?t=0")
    assert executed(daemon, "second", "cat", "/bin/note") == (0, "here\n")
    daemon.api("POST", "/containers/second/stop?t=0")
    until(lambda: not mounted(daemon, "memory"))
    daemon.api("POST", "/containers/first/start")
    assert executed(daemon, "first", "ls", "/bin/note")[0] != 0
    assert executed(daemon, "first", "ls", "/bin/sh") == (0, "/bin/sh\n")


def test_nothing_is_copied_where_that_was_not_wanted(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    mounts = with_volume("memory", "/etc", **MEMORY)
    mounts["Mounts"][0]["VolumeOptions"]["NoCopy"] = True  # type: ignore[index]
    start(daemon, "first", "sleep 600", **mounts)
    assert "passwd" not in executed(daemon, "first", "ls", "/etc")[1]


def test_a_volume_that_cannot_be_mounted_fails_the_start_in_dockers_words_and_leaves_nothing(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    for name, options, words in (
        ("type", {"type": "nosuchfs", "device": "x"}, r"mount x:\S+/_data: no such device"),
        ("bind", {"type": "none", "device": "/nosuch", "o": "bind"}, r"mount /nosuch:\S+/_data, flags: 0x1000: no such file or directory"),
        (
            "data",
            {"type": "tmpfs", "device": "tmpfs", "o": "password=x,nosuch=1"},
            r"mount tmpfs:\S+/_data, data: password=\*\*\*,nosuch=1: .*",
        ),
    ):
        body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": with_volume(name, "/x", **options)}
        daemon.api("POST", f"/containers/create?name={name}", body)
        status, told = refusal(daemon, name)
        assert status == 500
        assert re.fullmatch(rf"error while mounting volume '\S+/{name}/_data': failed to mount local volume: {words}", told), told
        assert not mounted(daemon, name)
        daemon.api("DELETE", f"/containers/{name}")
        daemon.api("DELETE", f"/volumes/{name}")


def test_a_killed_daemon_takes_up_the_mounts_that_are_used_and_undoes_the_others(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    start(daemon, "stays", "echo here > /x/note; sleep 600", **with_volume("kept", "/x", **MEMORY))
    start(daemon, "ends", "sleep 600", **with_volume("given", "/x", **MEMORY))
    pid = daemon.api("GET", "/containers/ends/json")["State"]["Pid"]
    daemon.kill()
    os.kill(pid, signal.SIGKILL)
    daemon.start()
    assert mounted(daemon, "kept") and not mounted(daemon, "given")
    start(daemon, "other", "sleep 600", **with_volume("kept", "/x"))
    assert executed(daemon, "other", "cat", "/x/note") == (0, "here\n")
    for name in ("stays", "other"):
        daemon.api("POST", f"/containers/{name}/stop?t=0")
    until(lambda: not mounted(daemon, "kept"))


def test_prune_keeps_what_is_only_described_here(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    for name, options in (("plain", {}), ("memory", MEMORY)):
        daemon.api("POST", "/volumes/create", {"Name": name, "DriverOpts": options})
    anonymous = daemon.api("POST", "/volumes/create", {})["Name"]
    assert daemon.api("POST", "/volumes/prune")["VolumesDeleted"] == [anonymous]
    assert daemon.api("POST", '/volumes/prune?filters={"all":["true"]}') == {"VolumesDeleted": ["plain"], "SpaceReclaimed": 0}


def test_events_tell_who_uses_a_volume_and_of_each_health_check(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    begin = time.time()
    check = {"Test": ["CMD-SHELL", "exit 0"], "Interval": 100_000_000}
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "Healthcheck": check, "HostConfig": {"Binds": ["data:/x:ro"]}}
    identity = daemon.api("POST", "/containers/create?name=one", body)["Id"]
    daemon.api("POST", "/containers/one/start")
    until(lambda: daemon.api("GET", "/containers/one/json")["State"]["Health"]["Status"] == "healthy")
    daemon.api("POST", "/containers/one/stop?t=0")
    daemon.api("DELETE", "/containers/one")
    daemon.api("POST", "/containers/prune")
    _, _, stream = daemon.api.raw("GET", f"/events?since={begin:.6f}&until={time.time():.6f}")
    told = [json.loads(line) for line in stream.splitlines() if line]
    volumes = [(event["Action"], event["Actor"]["Attributes"]) for event in told if event["Type"] == "volume"]
    use = {"container": identity, "driver": "local"}
    assert volumes == [
        ("create", {"driver": "local"}),
        ("mount", use | {"destination": "/x", "read/write": "false", "propagation": ""}),
        ("unmount", use),
    ]
    actions = [event["Action"] for event in told if event["Type"] == "container"]
    first = actions.index("exec_create: /bin/sh -c exit 0")
    probe = ["exec_create: /bin/sh -c exit 0", "exec_start: /bin/sh -c exit 0", "exec_die", "health_status: healthy"]
    assert actions[first : first + 4] == probe
    assert actions[-1] == "prune"
