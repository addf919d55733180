"""An API over the engine in memory, on a unix socket of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from fakes.server import Api, running_api


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as served:
        yield served
