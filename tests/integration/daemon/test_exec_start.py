"""An exec that hangs in its start, as clients see it: others go on, and it can be killed, or stopped and removed with its container."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from integration.daemon.steps import executed, start, unframed
from support.daemon import Daemon
from support.silence import silence

pytestmark = pytest.mark.root


class Hanging:
    """An exec whose working directory does not answer, asked for by a client that waits."""

    def __init__(self, daemon: Daemon, name: str, *, detach: bool) -> None:
        body = {"Cmd": ["true"], "WorkingDir": "/hung", "AttachStdout": True, "AttachStderr": True}
        self.daemon = daemon
        self.id = daemon.api("POST", f"/containers/{name}/exec", body)["Id"]
        self.answer: tuple[int, str] = (0, "")
        self._detach = detach
        self.client = threading.Thread(target=self._ask)
        self.client.start()
        until(lambda: self.view()["Running"], "it is starting")

    def _ask(self) -> None:
        status, _, body = self.daemon.api.raw("POST", f"/exec/{self.id}/start", {"Detach": self._detach})
        self.answer = status, body.decode() if self._detach else unframed(body)

    def view(self) -> dict[str, object]:
        return dict(self.daemon.api("GET", f"/exec/{self.id}/json"))

    def ended(self) -> tuple[int, str]:
        self.client.join(20)
        assert not self.client.is_alive()
        return self.answer


def until(check: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, f"not within 20 s: {what}"
        time.sleep(0.02)


@pytest.fixture
def web(argosyd: Daemon) -> Iterator[str]:
    """A running container in which ``/hung`` does not answer."""
    start(argosyd, "web", "sleep 600")
    with silence() as made:
        made.mount(int(argosyd.api("GET", "/containers/web/json")["State"]["Pid"]))
        yield "web"


@pytest.mark.parametrize("detach", [True, False])
def test_others_go_on_and_it_can_be_killed(argosyd: Daemon, web: str, detach: bool) -> None:
    hanging = Hanging(argosyd, web, detach=detach)
    assert executed(argosyd, web, "echo", "beside") == (0, "beside\n")
    assert hanging.view()["Running"]
    argosyd.api("POST", f"/exec/{hanging.id}/kill")
    status, said = hanging.ended()
    assert status == (400 if detach else 200)
    assert f"exec {hanging.id}: it was killed while it started" in said
    assert (hanging.view()["Running"], hanging.view()["ExitCode"]) == (False, 137)
    assert argosyd.api.raw("POST", f"/exec/{hanging.id}/kill")[0] == 409


@pytest.mark.parametrize(("method", "route"), [("POST", "/containers/web/stop?t=5"), ("DELETE", "/containers/web?force=1")])
def test_it_ends_with_its_container(argosyd: Daemon, web: str, method: str, route: str) -> None:
    hanging = Hanging(argosyd, web, detach=True)
    begun = time.monotonic()
    argosyd.api(method, route)
    assert time.monotonic() - begun < 4
    assert hanging.ended()[0] in (400, 409)


def test_a_health_check_that_hangs_in_its_start_times_out(argosyd: Daemon) -> None:
    check = {"Test": ["CMD", "/hung/check"], "Interval": 10**9, "Timeout": 5 * 10**8, "Retries": 1}
    argosyd.api("POST", "/containers/create?name=ill", {"Image": "busybox", "Cmd": ["sleep", "600"], "Healthcheck": check})
    argosyd.api("POST", "/containers/ill/start")
    view = argosyd.api("GET", "/containers/ill/json")
    with silence() as made:
        made.mount(int(view["State"]["Pid"]))
        until(
            lambda: "exceeded timeout" in str(argosyd.api("GET", "/containers/ill/json")["State"]["Health"]["Log"]), "the check timed out"
        )
        assert executed(argosyd, "ill", "echo", "beside") == (0, "beside\n")
        argosyd.api("DELETE", "/containers/ill?force=1")
