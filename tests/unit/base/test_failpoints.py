import os
import signal
import subprocess
import sys

import pytest

from argosy.base import failpoints


def test_points_are_parsed():
    assert failpoints.parse("") == {}
    assert failpoints.parse("a=kill,b.c:3=kill") == {"a": 1, "b.c": 3}
    for bad in ("a", "a=stop", "=kill", "a:x=kill"):
        with pytest.raises(ValueError):
            failpoints.parse(bad)


def test_a_point_kills_at_the_pass_that_was_named():
    code = "from argosy.base.failpoints import hit\nhit('other'); hit('p'); print('once', flush=True); hit('p'); print('twice')"
    run = subprocess.run([sys.executable, "-c", code], env={**os.environ, "ARGOSY_FAILPOINTS": "p:2=kill"}, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (-signal.SIGKILL, "once\n")


def test_without_the_variable_nothing_happens():
    failpoints.hit("p")
