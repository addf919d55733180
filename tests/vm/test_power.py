"""The plug is pulled during import, create, run, commit, load and removal; the state is sound at the next boot."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support import vm

pytestmark = [pytest.mark.root, pytest.mark.timeout(7200)]
PROGRAM = "ARGOSY_IN_VM=1 PYTHONPATH=tests .venv/bin/python tests/vm/inside/power.py"
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


def promised(done: vm.Done) -> str:
    """Return what the daemon of that boot promised, a line each."""
    last = {name: kind for kind, name in re.findall(r"^argosy-promise (\w+) (\S+)\r?$", done.console, re.MULTILINE)}
    return "".join(f"{kind} {name}\n" for name, kind in last.items())


def boot(machine: vm.VirtualMachine, what: str, promises: str, cut: Cut | None = None, before: str = "true") -> vm.Done:
    """Check the promises of the boot before, and do ``what``: ``check`` alone or ``work N``."""
    told = f"cat >/tmp/promises <<'END'\n{promises}END\n"
    done = machine.run(f"{before}\n{told}{PROGRAM} {what}", kill_when=cut, timeout=600)
    assert "argosy-power-unsound" not in done.console, f"{what}: {done.console[-4000:]}"
    if cut:
        assert done.killed, f"{what}: {done.status} {done.output[-3000:]} {done.console[-2000:]}"
    else:
        assert done.status == 0, done.output[-4000:] + done.console[-2000:]
    assert f"argosy-power-sound {len(promises.splitlines())}" in done.console, done.console[-2000:]
    return done


def test_the_state_is_sound_after_the_power_was_cut(machine: vm.VirtualMachine, scale: float) -> None:
    cuts, promises, kept = max(2, round(20 * scale)), "", 0
    for number in range(cuts):
        # Each boot first checks what the one before left; then it works, saying aloud what it does, until the plug is pulled.
        verb, step = VERBS[number * 5 % len(VERBS)], 1 + number % 2
        cut = Cut(f"argosy-power {verb} {step}\n", MOMENTS[number % len(MOMENTS)])
        promises = promised(boot(machine, f"work {number}", promises, cut))
        kept += len(promises.splitlines())
    boot(machine, "check", promises)
    print(f"{kept} promises kept over {cuts} cuts")
    assert kept > cuts, "hardly anything was promised before the cuts"


def test_a_disk_that_loses_what_it_said_it_kept_is_noticed(machine: vm.VirtualMachine) -> None:
    """So that the test above is one: here the machine never flushes, and the same check must complain."""
    mute = "mount -o remount,barrier=0 /data"
    done = boot(machine, "work 0", "", Cut("argosy-power remove 1\n", 0.05), before=mute)
    assert promised(done)
    with pytest.raises(AssertionError) as noticed:
        boot(machine, "check", promised(done), before=mute)
    print(f"noticed: {str(noticed.value)[:300]}")
