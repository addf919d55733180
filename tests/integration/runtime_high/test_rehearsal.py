"""The launcher's rehearsal: caches are warm, and nothing else is left of it."""

import subprocess
import sys

import pytest

from argosy.runtime.launcher.command import command

_CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import os, _signal
from argosy.runtime.launcher.rehearsal import rehearse
from argosy.runtime.shim.container import Container
def state():
    handlers = [_signal.getsignal(number) for number in range(1, 32)]
    return sorted(os.listdir("/proc/self/fd")), handlers, os.getcwd(), os.umask(0o22), os.listdir("/run")
before = state()
rehearse()
assert state() == before, (state(), before)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no child")
code = Container.__init__.__code__
print("specialised" if code._co_code_adaptive != code.co_code else "cold")
"""


@pytest.mark.root
def test_rehearsal_leaves_warm_caches_alone() -> None:
    source = command("id")[6].split(":")[0]
    done = subprocess.run([sys.executable, "-I", "-S", "-c", _CODE, source], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["no child", "specialised"], done.stderr
