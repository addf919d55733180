"""The early wait for the kernel."""

import os

import pytest

from argosy.runtime.oci import ahead


def test_nothing_is_left_of_it() -> None:
    ahead.begin()
    ahead.finish()
    ahead.finish()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
