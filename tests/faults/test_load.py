"""Many at once: nothing fails, nothing leaks; noisy neighbours stay in their limits."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.daemon import Daemon
from support.remains import assert_nothing_left, fds, settled, zombies

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]


def test_200_containers_by_8_clients(argosyd: Daemon, scale: float) -> None:
    def one(number: int) -> None:
        body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Init": True}}
        argosyd.api("POST", f"/containers/create?name=many{number}", body)
        argosyd.api("POST", f"/containers/many{number}/start")
        argosyd.api("DELETE", f"/containers/many{number}?force=1&v=1")

    one(-1)
    before = fds(argosyd)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(max(16, round(200 * scale)))))
    assert argosyd.api("GET", "/containers/json?all=1") == []
    assert_nothing_left(argosyd, 60)
    assert settled(lambda: fds(argosyd) <= before + 8, True), (before, fds(argosyd))


def test_1000_execs_in_waves_leave_nothing(argosyd: Daemon, scale: float) -> None:
    argosyd.api("POST", "/containers/create?name=many", {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Init": True}})
    argosyd.api("POST", "/containers/many/start")

    def one(number: int) -> None:
        body = {"Cmd": ["sh", "-c", f"exit {number % 100}"], "AttachStdout": True}
        execution = argosyd.api("POST", "/containers/many/exec", body)["Id"]
        argosyd.api("POST", f"/exec/{execution}/start", {"Detach": False})
        deadline = time.monotonic() + 20
        while (view := argosyd.api("GET", f"/exec/{execution}/json"))["Running"]:
            assert time.monotonic() < deadline
        assert view["ExitCode"] == number % 100

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(50)))
        before = fds(argosyd)
        list(pool.map(one, range(max(100, round(1000 * scale)))))
    assert settled(lambda: len(argosyd.api("GET", "/containers/many/top")["Processes"]), 2) == 2
    assert settled(lambda: fds(argosyd) <= before + 8, True), (before, fds(argosyd))
    assert zombies(argosyd) == []


NOISE = {
    "fork bomb": ({"PidsLimit": 64, "NanoCpus": 500_000_000}, "b() { b | b & }; b; while :; do b; done"),
    "memory hog": ({"Memory": 32 << 20, "MemorySwap": 32 << 20, "NanoCpus": 500_000_000}, "tail /dev/zero"),
    "busy loop": ({"NanoCpus": 250_000_000}, "while :; do :; done"),
    "log flood": ({"NanoCpus": 250_000_000}, "yes a line of a flood that nobody reads"),
}


@pytest.mark.parametrize("noise", NOISE)
def test_a_noisy_neighbour_does_not_disturb(noise: str, argosyd: Daemon, scale: float) -> None:
    limits, script = NOISE[noise]
    argosyd.api(
        "POST", "/containers/create?name=server", {"Image": "busybox", "Cmd": ["httpd", "-f", "-h", "/www"], "HostConfig": {"Init": True}}
    )
    argosyd.api("POST", "/containers/server/start")
    address = argosyd.api("GET", "/containers/server/json")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    begun = f"{time.time():.3f}"
    argosyd.api("POST", "/containers/create?name=noise", {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": limits})
    argosyd.api("POST", "/containers/noise/start")
    code = f"""
import time, urllib.request
failed, end = 0, time.time() + {max(3.0, 10 * scale)}
while time.time() < end:
    try: urllib.request.urlopen("http://{address}/", timeout=5).read()
    except OSError: failed += 1
print(failed)"""
    assert argosyd.run_inside(["python3", "-c", code]).stdout.strip() == "0"
    if noise == "memory hog":
        view = argosyd.api("GET", "/containers/noise/json")["State"]
        assert view["OOMKilled"] and view["ExitCode"] == 137
        events = argosyd.api.raw("GET", f"/events?since={begun}&until={time.time():.3f}")[2]
        assert b'"oom"' in events
    if noise == "log flood":
        folder = argosyd.data_root / "containers" / argosyd.api("GET", "/containers/noise/json")["Id"]
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 40_000_000
    assert argosyd.api("GET", "/containers/server/json")["State"]["Running"]
