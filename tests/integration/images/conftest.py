import pytest

from fakes.registry import Registry
from suites.image_host import Host


@pytest.fixture
async def host(tmp_path):
    host = await Host(tmp_path / "host").start() if (tmp_path / "host").mkdir() is None else None
    yield host
    await host.stop()


@pytest.fixture
def registry():
    with Registry().serving() as made:
        yield made
