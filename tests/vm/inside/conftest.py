"""Fixtures in the machine: one daemon serves a whole file; nothing of the machine outlives the boot."""

from collections.abc import Iterator

import pytest

from support.daemon import Daemon

pytest.register_assert_rewrite("vm.inside.cgroup_suite", "vm.inside.using")


@pytest.fixture(scope="module")
def arguments() -> list[str]:
    """Return the daemon's command line beyond its roots; a file may say its own."""
    return []


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, arguments: list[str]) -> Iterator[Daemon]:
    """A daemon with an image named busybox."""
    made = Daemon(tmp_path_factory.mktemp("daemon"), arguments=arguments)
    try:
        made.start()
        made.import_busybox()
        yield made
    finally:
        made.destroy()
