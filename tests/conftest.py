"""Fixtures of all parts: what needs root says so, what leaks fails, a daemon of a test's own, and going on where a run was broken off."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from support.daemon import Daemon
from support.images import busybox
from support.leaks import LeakCheck

# A slow machine is no failure: no deadlines. The virtual machine is slower by a factor, and shows the kernel, not the parsers.
hypothesis.settings.register_profile("argosy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("vm", parent=hypothesis.settings.get_profile("argosy"), max_examples=5)
hypothesis.settings.load_profile("vm" if os.environ.get("ARGOSY_IN_VM") else "argosy")
RESUME = os.environ.get("ARGOSY_TEST_RESUME", "")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def pytest_configure() -> None:
    """End in order also when told to by SIGTERM (a time limit, a closed terminal): fixtures undo what they made."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)
        # A shell's background job ignores it, and with it whatever a test starts and interrupts.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs root without it; leave out what the broken-off run has passed."""
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("root"):
                item.add_marker(pytest.mark.skip(reason="needs root"))
    if RESUME and Path(RESUME).exists():
        done = set(Path(RESUME).read_text().splitlines())
        for item in items:
            if item.nodeid in done:
                item.add_marker(pytest.mark.passed_before)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what passed, for a run that goes on after this one was broken off."""
    if RESUME and report.when == "call" and report.passed and not os.environ.get("PYTEST_XDIST_WORKER"):
        with Path(RESUME).open("a") as notes:
            notes.write(report.nodeid + "\n")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Count a test that the broken-off run has passed, without running it or its fixtures again."""
    if not item.get_closest_marker("passed_before"):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for when in ("setup", "call", "teardown"):
        report = pytest.TestReport(item.nodeid, item.location, {}, "passed", None, when)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(scope="session")
def root() -> None:
    """Skip unless the test runs as root."""
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="session")
def scale() -> float:
    """How much of a soak to run: 1 as written, 0.1 a tenth (`./test --scale`)."""
    return float(os.environ.get("ARGOSY_TEST_SCALE", "1"))


@pytest.fixture
def leak_check(root: None) -> Iterator[LeakCheck]:
    """Fail the test when it leaves links, mounts, namespaces, cgroups, tables or processes of its own; call it to look in between.

    Ask for it before any fixture that makes something, so that it looks after they are undone.
    """
    check = LeakCheck()
    yield check
    assert not (left := check()), f"left behind: {left}"


@pytest.fixture
def daemons(root: None, tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """A maker of daemons, each with roots, socket and network of its own; all are destroyed at the end, also on failure."""
    made: list[Daemon] = []

    def make(*, start: bool = True, busybox_image: bool = True, **options: object) -> Daemon:
        daemon = Daemon(tmp_path / f"d{len(made)}", **options)  # type: ignore[arg-type]
        made.append(daemon)
        if start:
            daemon.start()
            if busybox_image:
                daemon.import_busybox()
        return daemon

    if busybox() is None:
        pytest.skip("needs busybox-static")
    try:
        yield make
    finally:
        for daemon in made:
            daemon.destroy()


@pytest.fixture
def argosyd(daemons: Callable[..., Daemon]) -> Daemon:
    """A running daemon of the test's own that has the image busybox."""
    return daemons()
