"""The plug is pulled during import, create, run, commit, load and removal; the state is sound at the next boot."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support import vm

pytestmark = [pytest.mark.root, pytest.mark.timeout(7200)]
PROGRAM = "PYTHONPATH=tests .venv/bin/python tests/vm/inside/power.py"
VERBS = ("import", "create", "run", "commit", "load", "remove")
# How far into the verb, in seconds of a machine in which most of them take one or two.
MOMENTS = (0.05, 0.3, 0.6, 1.0, 1.5)


@pytest.fixture
def machine() -> Iterator[vm.VirtualMachine]:
    """A machine with a disk that outlives its power."""
    if why := vm.why_not():
        pytest.skip(why)
    with TemporaryDirectory(prefix="argosy-vm-", dir="/var/tmp") as folder:
        made = vm.VirtualMachine(Path(folder))
        made.add_disk(2048)
        yield made


class Cut:
    """Says when to pull the plug: so long after a word was seen on the console."""

    def __init__(self, word: str, delay: float) -> None:
        self._word = word
        self._delay = delay
        self._seen = 0.0

    def __call__(self, console: str) -> bool:
        if "argosy-power-unsound" in console:
            return True
        if not self._seen and self._word in console.replace("\r", ""):
            self._seen = time.monotonic()
        return bool(self._seen) and time.monotonic() - self._seen >= self._delay


def promises_kept(done: vm.Done) -> int:
    """Return how many promises of the boot before this one checked and found kept."""
    return int(done.console.partition("argosy-power-sound ")[2].split()[0])


def test_the_state_is_sound_after_the_power_was_cut(machine: vm.VirtualMachine, scale: float) -> None:
    cuts, kept = max(2, round(20 * scale)), 0
    for number in range(cuts):
        # Each boot first checks what the one before left; then it works, saying aloud what it does, until the plug is pulled.
        verb, step = VERBS[number * 5 % len(VERBS)], 1 + number % 2
        cut = Cut(f"argosy-power {verb} {step}\n", MOMENTS[number % len(MOMENTS)])
        done = machine.run(f"{PROGRAM} work {number}", kill_when=cut, timeout=600)
        assert "argosy-power-unsound" not in done.console, f"cut {number}: {done.console[-4000:]}"
        assert done.killed, f"cut {number}: {done.status} {done.output[-3000:]} {done.console[-2000:]}"
        kept += promises_kept(done)
    done = machine.run(f"{PROGRAM} check", timeout=600)
    assert done.status == 0, done.output[-4000:] + done.console[-2000:]
    kept += promises_kept(done)
    print(f"{kept} promises kept over {cuts} cuts")
    assert kept > cuts, "hardly anything was promised before the cuts"
