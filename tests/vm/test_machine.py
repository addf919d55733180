"""What this machine may not have: cgroup v2 alone, systemd, AppArmor, Debian's own kernel, and a plug to pull."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support import vm

pytestmark = [pytest.mark.root, pytest.mark.timeout(3600)]
INSIDE = "tests/vm/inside"
# Tests in the machine are a fifth as fast: nothing there is timed.
PYTEST = "ARGOSY_IN_VM=1 .venv/bin/python -m pytest -p no:xdist --timeout 900 --junitxml=/result/results.xml --tb=short"


@pytest.fixture(scope="module")
def machine() -> Iterator[vm.VirtualMachine]:
    """A machine; each run is a boot."""
    if why := vm.why_not():
        pytest.skip(why)
    with TemporaryDirectory(prefix="argosy-vm-", dir="/var/tmp") as folder:
        yield vm.VirtualMachine(Path(folder))


def check(done: vm.Done) -> None:
    """Fail with what failed inside."""
    assert done.status is not None, f"no result after {done.seconds:.0f} s; the console ends:\n{done.console[-3000:]}"
    assert done.status == 0, done.output[-6000:]
    results = ElementTree.parse(done.results / "results.xml").getroot()
    cases = list(results.iter("testcase"))
    assert any(case.find("skipped") is None for case in cases), done.output[-2000:]


def test_it_boots_a_stock_kernel_with_cgroup_v2_alone(machine: vm.VirtualMachine) -> None:
    done = machine.run(
        "uname -r; cat /sys/fs/cgroup/cgroup.controllers; grep -c cgroup /proc/mounts; cat /sys/module/apparmor/parameters/enabled"
    )
    release, controllers, mounts, apparmor = done.output.splitlines()
    assert done.status == 0 and release.endswith("-cloud-amd64") and (mounts, apparmor) == ("1", "Y")
    assert {"cpuset", "cpu", "io", "memory", "pids"} <= set(controllers.split())


def test_the_unit_tests_pass_there(machine: vm.VirtualMachine) -> None:
    check(machine.run(f"{PYTEST} -x tests/unit"))


def test_the_integration_tests_pass_there(machine: vm.VirtualMachine) -> None:
    check(machine.run(f"{PYTEST} tests/integration"))


@pytest.mark.parametrize("name", sorted(path.name for path in (Path(__file__).parent / "inside").glob("test_plain_*.py")))
def test_on_the_bare_kernel(name: str, machine: vm.VirtualMachine) -> None:
    check(machine.run(f"{PYTEST} {INSIDE}/{name}"))


@pytest.mark.parametrize("name", sorted(path.name for path in (Path(__file__).parent / "inside").glob("test_systemd_*.py")))
def test_under_systemd(name: str, machine: vm.VirtualMachine) -> None:
    check(machine.run(f"{PYTEST} {INSIDE}/{name}", systemd=True))
