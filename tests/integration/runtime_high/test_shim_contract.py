"""The real shim keeps the contract of `engine.ports.Shim`."""

import pytest

from argosy.runtime.client import ShimHandle
from suites.shims import ShimContract

from .conftest import Bench


class Real:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def prepare(self) -> ShimHandle:
        return await self._bench.runtime.prepare(self._bench.request("sleep", "1000"))

    async def code(self, shim: ShimHandle, exec_id: str = "") -> int:
        return await self._bench.code(shim, exec_id)


class TestRealShim(ShimContract):
    @pytest.fixture
    async def world(self, bench: Bench) -> Real:
        return Real(bench)
