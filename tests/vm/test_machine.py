"""What this machine may not have: cgroup v2 alone, systemd, AppArmor, Debian's own kernel. A boot for each kind of it."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support import vm

pytestmark = [pytest.mark.root, pytest.mark.timeout(3600)]
INSIDE = "tests/vm/inside"
# Tests in the machine are a fifth as fast: nothing there is timed.
PYTEST = "ARGOSY_IN_VM=1 .venv/bin/python -m pytest -p no:xdist --timeout 900 --junitxml=/result/results.xml --tb=short -rs"
# What meets the kernel and not only itself.
KERNEL = "tests/unit/linux tests/integration/runtime_low tests/integration/runtime_high tests/integration/storage"
LIMIT = 3000
"""Seconds for one boot; the longest takes about half of it on a machine that does nothing else."""
BOOTS = {
    "the bare kernel": (f"{INSIDE}/test_plain_*.py {KERNEL}", False),
    "systemd": (f"{INSIDE}/test_systemd_*.py", True),
    "SELinux": (f"{INSIDE}/test_selinux_*.py", False),
}


@pytest.fixture(scope="module")
def machine() -> Iterator[vm.VirtualMachine]:
    """A machine; each run is a boot."""
    if why := vm.why_not():
        pytest.skip(why)
    with TemporaryDirectory(prefix="argosy-vm-", dir="/var/tmp") as folder:
        yield vm.VirtualMachine(Path(folder))


def test_it_boots_a_stock_kernel_with_cgroup_v2_alone(machine: vm.VirtualMachine) -> None:
    done = machine.run(
        "uname -r; cat /sys/fs/cgroup/cgroup.controllers; grep -c cgroup /proc/mounts; cat /sys/module/apparmor/parameters/enabled"
    )
    release, controllers, mounts, apparmor = done.output.splitlines()
    assert done.status == 0 and release.endswith("-cloud-amd64") and (mounts, apparmor) == ("1", "Y")
    assert {"cpuset", "cpu", "io", "memory", "pids"} <= set(controllers.split())


@pytest.mark.parametrize("name", BOOTS)
def test_all_passes_under(name: str, machine: vm.VirtualMachine) -> None:
    what, systemd = BOOTS[name]
    done = machine.run(f"{PYTEST} {what}", systemd=systemd, timeout=LIMIT, security="selinux" if name == "SELinux" else "apparmor")
    assert done.status is not None, f"no result after {done.seconds:.0f} s; the console ends:\n{done.console[-3000:]}"
    assert done.status == 0, done.output[-8000:]
    cases = list(ElementTree.parse(done.results / "results.xml").getroot().iter("testcase"))
    skips = Counter((skip.get("message") or "") for case in cases if (skip := case.find("skipped")) is not None)
    passed = len(cases) - skips.total()
    print(f"{passed} of {len(cases)} tests ran in the machine in {done.seconds:.0f} s")
    for reason, times in skips.most_common():
        print(f"skipped {times}: {reason}")
    assert passed > 5, done.output[-2000:]
