"""The plug is pulled during create, commit and load; the state is sound at the next boot."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support import vm

pytestmark = [pytest.mark.root, pytest.mark.timeout(7200)]
PREPARE = "PYTHONPATH=tests .venv/bin/python tests/vm/inside/power.py"


@pytest.fixture
def machine() -> Iterator[vm.VirtualMachine]:
    """A machine with a disk that outlives its power."""
    if why := vm.why_not():
        pytest.skip(why)
    with TemporaryDirectory(prefix="argosy-vm-", dir="/var/tmp") as folder:
        made = vm.VirtualMachine(Path(folder))
        made.add_disk(2048)
        yield made


def test_the_state_is_sound_after_the_power_was_cut(machine: vm.VirtualMachine, scale: float) -> None:
    cuts = max(2, round(20 * scale))
    for number in range(cuts):
        # Each boot first checks what the one before left; then it works, saying aloud how far it is, until the plug is pulled.
        mark = f"argosy-power-step {2 + number % 11}\n"
        done = machine.run(f"{PREPARE} work {number}", kill_when=lambda console, mark=mark: mark in console.replace("\r", ""), timeout=600)
        assert done.killed, f"cut {number}: {done.status} {done.output[-3000:]} {done.console[-2000:]}"
        assert "argosy-power-unsound" not in done.console, done.console[-4000:]
    done = machine.run(f"{PREPARE} check")
    assert done.status == 0, done.output[-4000:] + done.console[-2000:]
