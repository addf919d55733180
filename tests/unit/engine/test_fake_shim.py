"""The double that the engine is tested with keeps the contract of `engine.ports.Shim`."""

import pytest

from argosy.base.ids import new_id
from fakes.shim import FakeShim
from suites.shims import ShimContract


class Doubles:
    def __init__(self):
        self.codes = {}

    async def prepare(self):
        return FakeShim(new_id(), [], {}, tell=self.codes.__setitem__)

    async def code(self, shim, exec_id=""):
        return self.codes[exec_id]


class TestFakeShim(ShimContract):
    @pytest.fixture
    async def world(self):
        return Doubles()
