"""Processes of ours die under load: argosyd at random moments, launcher, netd, a shim."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.remains import assert_nothing_left, titled

from .conftest import Load, Witness, remove_all

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]


def until(check: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Return once it is so."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def test_argosyd_killed_at_random_points_under_load(argosyd: Daemon, scale: float) -> None:
    witness = Witness(argosyd)
    witness.start()
    pid = witness.pid()
    moments = random.Random(20)
    with Load(argosyd) as load:
        for _ in range(max(3, round(50 * scale))):
            time.sleep(moments.uniform(0.0, 0.6))
            argosyd.kill()
            argosyd.start()
            assert witness.pid() == pid
    assert not load.errors, load.errors[:5]
    assert load.rounds > 0
    witness.assert_unbroken()
    remove_all(argosyd, but="witness")
    assert_nothing_left(argosyd)


def test_an_exit_while_the_daemon_is_away_is_told_afterwards(argosyd: Daemon) -> None:
    body = {"Image": "busybox", "Cmd": ["sh", "-c", "echo first; sleep 1; echo last; exit 23"]}
    argosyd.api("POST", "/containers/create?name=away", body)
    argosyd.api("POST", "/containers/away/start")
    argosyd.kill()
    time.sleep(2)
    argosyd.start()
    assert argosyd.api("POST", "/containers/away/wait")["StatusCode"] == 23
    assert b"last" in argosyd.api.raw("GET", "/containers/away/logs?stdout=1")[2]


def test_the_launcher_dies_and_another_one_serves(witness: Witness) -> None:
    daemon = witness.daemon
    (launcher,) = titled(daemon, "argosy-launcher")
    os.kill(launcher, signal.SIGKILL)
    until(lambda: daemon.argosy("run", "--rm", "busybox", "echo", "on").stdout == "on\n", "a container runs by the new launcher")
    witness.assert_unbroken()
    assert_nothing_left(daemon)


def test_netd_dies_and_names_resolve_again(witness: Witness) -> None:
    daemon = witness.daemon
    daemon.api("POST", "/networks/create", {"Name": "inner"})
    for name in ("one", "two"):
        body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Init": True, "NetworkMode": "inner"}}
        daemon.api("POST", f"/containers/create?name={name}", body)
        daemon.api("POST", f"/containers/{name}/start")
    (netd,) = titled(daemon, "argosy-netd")
    assert daemon.argosy("exec", "one", "nslookup", "two").returncode == 0
    os.kill(netd, signal.SIGKILL)
    until(lambda: daemon.argosy("exec", "one", "nslookup", "two").returncode == 0, "names resolve by the new netd")
    witness.assert_unbroken()
    remove_all(daemon, but="witness")
    assert_nothing_left(daemon)


def test_names_resolve_while_the_daemon_is_away(witness: Witness) -> None:
    daemon = witness.daemon
    daemon.api("POST", "/networks/create", {"Name": "inner"})
    for name in ("one", "two"):
        body = {"Image": "busybox", "Cmd": ["sh", "-c", "while :; do nslookup two >/dev/null && echo yes || echo no; sleep 0.2; done"]}
        daemon.api("POST", f"/containers/create?name={name}", body | {"HostConfig": {"Init": True, "NetworkMode": "inner"}})
    for name in ("two", "one"):
        daemon.api("POST", f"/containers/{name}/start")
    until(lambda: b"yes" in daemon.api.raw("GET", "/containers/one/logs?stdout=1")[2], "the first name resolves")
    daemon.kill()
    time.sleep(3)
    daemon.start()
    log = daemon.api.raw("GET", "/containers/one/logs?stdout=1&tail=12")[2]
    assert b"no" not in log


def test_a_shim_dies_and_its_container_is_told_dead_and_restarted(witness: Witness) -> None:
    daemon = witness.daemon
    for name, policy in (("plain", "no"), ("again", "always")):
        body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"RestartPolicy": {"Name": policy}}}
        identity = daemon.api("POST", f"/containers/create?name={name}", body)["Id"]
        daemon.api("POST", f"/containers/{name}/start")
        before = int(daemon.api("GET", f"/containers/{name}/json")["State"]["Pid"])
        shim = next(pid for pid in titled(daemon, "argosy-shim") if identity[:12] in Path(f"/proc/{pid}/cmdline").read_text())
        os.kill(shim, signal.SIGKILL)
        until(lambda before=before: not Path(f"/proc/{before}").exists(), "the program is killed with its shim")  # type: ignore[misc]
    until(lambda: daemon.api("GET", "/containers/plain/json")["State"]["ExitCode"] == 137, "exit code 137")
    assert "shim was killed" in daemon.api("GET", "/containers/plain/json")["State"]["Error"]
    until(lambda: bool(daemon.api("GET", "/containers/again/json")["State"]["Pid"]), "the restart policy runs")
    witness.assert_unbroken()
    remove_all(daemon, but="witness")
    assert_nothing_left(daemon)
