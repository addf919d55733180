"""The tool itself: machines that are apart, a switch that can be cut, a plug that can be pulled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hosts.machines import Machine, Machines
from support.leaks import LeakCheck

pytestmark = pytest.mark.root


@pytest.fixture
def machines(leak_check: LeakCheck) -> Iterator[Machines]:
    leak_check.also("agthosts-self")
    with Machines("self") as found:
        found.up(3)
        yield found


def pings(one: Machine, other: Machine) -> bool:
    return one.run("busybox", "ping", "-c", "1", "-W", "1", other.ip).returncode == 0


def reaches(one: Machine, other: Machine) -> bool:
    """Soon: a cable that was put back carries nothing until the kernel has told the bridge of it."""
    return any(pings(one, other) for _ in range(10))


def test_machines_are_apart_and_reach_each_other(machines: Machines) -> None:
    one, two, three = machines.machines
    assert pings(one, two) and pings(three, one)
    assert one.run("hostname").stdout.strip() == "self1"
    assert len([name for name in one.run("ls", "/proc").stdout.split() if name.isdigit()]) < 6
    one.run("sh", "-c", "echo kept > /etc/of-one; echo gone > /run/of-one; echo 1 > /proc/sys/net/ipv4/ip_forward")
    assert not Path("/etc/of-one").exists()
    assert two.run("cat", "/etc/of-one").returncode != 0
    # Its own cgroups are all that it sees.
    assert "agthosts" not in one.run("cat", "/proc/self/cgroup").stdout.replace("/../", "")


def test_cables_and_partitions(machines: Machines) -> None:
    one, two, three = machines.machines
    two.cut()
    assert not pings(one, two) and pings(one, three)
    machines.heal()
    assert reaches(one, two)
    machines.partition([one, two], [three])
    assert not pings(one, three) and pings(one, two)
    machines.heal()
    assert reaches(one, three)


def test_a_killed_machine_boots_again_on_its_disk(machines: Machines) -> None:
    one, two, _ = machines.machines
    two.run(
        "sh", "-c", "echo kept > /etc/x; mkdir -p /var/lib/argosy; echo kept > /var/lib/argosy/x; echo gone > /run/x; mount -t tmpfs x /mnt"
    )
    sleeper = two.spawn("sleep", "1000")
    two.kill()
    sleeper.wait(30)
    assert not pings(one, two)
    two.boot()
    assert two.run("cat", "/etc/x", "/var/lib/argosy/x").stdout == "kept\nkept\n"
    assert two.run("cat", "/run/x").returncode != 0
    assert two.run("mountpoint", "-q", "/mnt").returncode != 0
    assert pings(one, two)
