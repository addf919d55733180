"""Runs in the virtual machine, under systemd: argosyd as its service, restarted and reloaded under load."""

import grp
import http.client
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Api
from support.images import busybox_tar

CHECKOUT = Path(__file__).resolve().parents[3]
SOCKET = Path("/run/argosy.sock")


def systemctl(*words: str) -> str:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr + journal()
    return done.stdout.strip()


def journal() -> str:
    return subprocess.run(["journalctl", "-u", "argosyd", "-n", "40", "--no-pager"], capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """argosyd by its units, as quickstart puts them."""
    try:
        grp.getgrnam("argosy")
    except KeyError:
        subprocess.run(["groupadd", "--system", "argosy"], check=True)
    for name in ("argosyd.service", "argosyd.socket"):
        shutil.copy(CHECKOUT / "packaging/systemd" / name, "/etc/systemd/system/")
    link = Path("/usr/local/bin/argosyd")
    link.unlink(missing_ok=True)
    link.symlink_to(Path(sys.executable).parent / "argosyd")
    systemctl("daemon-reload")
    systemctl("start", "argosyd.socket")
    api = Api(SOCKET)
    # Socket activation: the first request starts the service.
    assert api.raw("GET", "/_ping", timeout=600)[0] == 200, journal()
    route = "/images/create?fromSrc=-&repo=busybox&tag=latest&changes=ENV%20PATH=/bin"
    assert api.raw("POST", route, busybox_tar(), {"Content-Type": "application/x-tar"})[0] == 200
    yield api
    systemctl("stop", "argosyd.service", "argosyd.socket")


def begin(api: Api, name: str) -> int:
    body = {"Image": "busybox", "Cmd": ["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.2; done"], "HostConfig": {"Init": True}}
    api("POST", f"/containers/create?name={name}", body)
    api("POST", f"/containers/{name}/start")
    return int(api("GET", f"/containers/{name}/json")["State"]["Pid"])


def lines(api: Api, name: str) -> list[int]:
    raw = api.raw("GET", f"/containers/{name}/logs?stdout=1")[2]
    found = []
    while len(raw) >= 8:
        size = int.from_bytes(raw[4:8], "big")
        found += [int(word) for word in raw[8 : 8 + size].split()]
        raw = raw[8 + size :]
    return found


def test_the_service_says_that_it_is_ready(api: Api) -> None:
    assert systemctl("show", "-P", "SubState", "argosyd.service") == "running"
    assert systemctl("show", "-P", "NotifyAccess", "argosyd.service") == "main"


class Load(threading.Thread):
    """Creates, runs and removes containers all the time. A connection may be cut short by a restart, but never refused: systemd holds
    the socket, and who comes meanwhile waits."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self._api = Api(api.path)
        self._ending = threading.Event()
        self.done = 0
        self.wrong: list[BaseException] = []

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                made = self._api("POST", "/containers/create", {"Image": "busybox", "Cmd": ["true"]}, timeout=300)["Id"]
                self._api("POST", f"/containers/{made}/start", timeout=300)
                self._api("POST", f"/containers/{made}/wait", timeout=300)
                self._api("DELETE", f"/containers/{made}?force=1", timeout=300)
                self.done += 1
            except (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError, BrokenPipeError):
                continue
            except BaseException as error:
                self.wrong.append(error)
                return

    def end(self) -> None:
        """Stop it and say what went wrong."""
        self._ending.set()
        self.join()
        assert not self.wrong, repr(self.wrong) + journal()
        assert self.done


def test_restart_and_daemon_reload_under_load_touch_no_container(api: Api) -> None:
    load = Load(api)
    load.start()
    pids = {name: begin(api, name) for name in ("one", "two", "three")}
    for turn in range(3):
        systemctl("daemon-reload")
        systemctl("restart", "argosyd.service")
        made = api("POST", f"/containers/create?name=turn{turn}", {"Image": "busybox", "Cmd": ["true"]})["Id"]
        api("POST", f"/containers/{made}/start")
        assert api("POST", f"/containers/{made}/wait", timeout=600)["StatusCode"] == 0
    load.end()
    for name, pid in pids.items():
        assert api("GET", f"/containers/{name}/json")["State"]["Pid"] == pid, journal()
        seen = lines(api, name)
        assert seen == list(range(len(seen)))


def test_limits_survive_daemon_reload(api: Api) -> None:
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Init": True, "Memory": 64 << 20, "PidsLimit": 50}}
    api("POST", "/containers/create?name=limited", body)
    api("POST", "/containers/limited/start")
    group = Path(f"/proc/{api('GET', '/containers/limited/json')['State']['Pid']}/cgroup").read_text().strip().removeprefix("0::")
    folder = Path("/sys/fs/cgroup" + group)
    for _ in range(3):
        systemctl("daemon-reload")
        assert (folder / "memory.max").read_text().strip() == str(64 << 20)
        assert (folder / "pids.max").read_text().strip() == "50"


def test_stopping_the_service_leaves_containers_and_starting_it_finds_them(api: Api) -> None:
    pid = begin(api, "stays")
    systemctl("stop", "argosyd.service", "argosyd.socket")
    time.sleep(1)
    assert Path(f"/proc/{pid}").exists()
    systemctl("start", "argosyd.socket", "argosyd.service")
    assert api("GET", "/containers/stays/json")["State"]["Pid"] == pid


def test_a_crash_is_restarted_by_systemd(api: Api) -> None:
    main = systemctl("show", "-P", "MainPID", "argosyd.service")
    subprocess.run(["kill", "-KILL", main], check=True)
    deadline = time.monotonic() + 300
    while systemctl("show", "-P", "MainPID", "argosyd.service") in (main, "0"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert json.loads(api.raw("GET", "/version", timeout=600)[2])["Version"]


def test_containers_under_the_systemd_driver_are_in_scopes(api: Api) -> None:
    """`native.cgroupdriver=systemd`: a scope a container, in system.slice, as Docker's."""
    config = Path("/etc/argosy/daemon.json")
    config.parent.mkdir(exist_ok=True)
    config.write_text('{"exec-opts": ["native.cgroupdriver=systemd"]}')
    try:
        systemctl("restart", "argosyd.service")
        assert api("GET", "/info")["CgroupDriver"] == "systemd"
        pid = begin(api, "scoped")
        group = Path(f"/proc/{pid}/cgroup").read_text()
        identity = api("GET", "/containers/scoped/json")["Id"]
        assert f"/system.slice/argosy-{identity}.scope" in group or f"/system.slice/docker-{identity}.scope" in group
        api("DELETE", "/containers/scoped?force=1")
    finally:
        config.unlink()
        systemctl("restart", "argosyd.service")
