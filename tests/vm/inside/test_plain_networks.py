"""Networks that need modules of Debian's kernel: ipvlan, VLANs, dummies, SCTP, and names and bandwidth on a line that loses packets."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from argosy.linux import netns
from support.daemon import Daemon
from vm.inside.using import begin, inside, refusal, remove

PARENT, FAR = "up0", "up1"


@pytest.fixture(scope="module", autouse=True)
def modules() -> None:
    """What the daemon's namespace may not load by itself."""
    for name in ("ipvlan", "macvlan", "8021q", "dummy", "sctp", "sch_netem", "sch_tbf"):
        subprocess.run(["modprobe", name], check=True)


@pytest.fixture(scope="module")
def line(daemon: Daemon) -> Iterator[str]:
    """A card of the daemon's host (``up0``, 203.0.113.1) and, in a namespace of its own, who is at its other end (203.0.113.2)."""
    name = f"far-{daemon.name}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    daemon.run_inside(["ip", "link", "add", PARENT, "type", "veth", "peer", "name", FAR])
    daemon.run_inside(["ip", "link", "set", FAR, "netns", name])
    daemon.run_inside(["ip", "addr", "add", "203.0.113.1/24", "dev", PARENT])
    daemon.run_inside(["ip", "link", "set", PARENT, "up"])
    for words in (("addr", "add", "203.0.113.2/24", "dev", FAR), ("link", "set", FAR, "up"), ("link", "set", "lo", "up")):
        subprocess.run(["ip", "-n", name, *words], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture(autouse=True)
def nothing_left(daemon: Daemon) -> Iterator[None]:
    """A test that fails shall not take the others with it."""
    yield
    for view in daemon.api("GET", "/containers/json?all=1"):
        daemon.api.raw("DELETE", f"/containers/{view['Id']}?force=1")
    daemon.api("POST", "/networks/prune")


def network(daemon: Daemon, name: str, *words: str) -> None:
    done = daemon.argosy("network", "create", *words, name)
    assert done.returncode == 0, done.stderr


def away(daemon: Daemon, network: str, *names: str) -> None:
    for name in names:
        remove(daemon, name)
    assert daemon.argosy("network", "rm", network).returncode == 0


def pings(daemon: Daemon, name: str, address: str) -> bool:
    return daemon.argosy("exec", name, "ping", "-c", "2", "-W", "5", address).returncode == 0


def address(daemon: Daemon, name: str, of: str) -> str:
    return str(daemon.api("GET", f"/containers/{name}/json")["NetworkSettings"]["Networks"][of]["IPAddress"])


@pytest.mark.parametrize("flag", ["bridge", "private"])
def test_ipvlan_l2_is_on_the_parents_network(daemon: Daemon, line: str, flag: str) -> None:
    options = ("-d", "ipvlan", "-o", f"parent={PARENT}", "-o", f"ipvlan_flag={flag}")
    network(daemon, "lan", *options, "--subnet", "203.0.113.0/24", "--ip-range", "203.0.113.64/26", "--gateway", "203.0.113.2")
    for name in ("one", "two"):
        begin(daemon, name, "--init", "--network", "lan", "busybox", "sleep", "600")
    assert pings(daemon, "one", "203.0.113.2")
    assert pings(daemon, "one", address(daemon, "two", "lan")) == (flag == "bridge")
    assert "via 203.0.113.2" in inside(daemon, "one", "ip route")
    assert daemon.argosy("network", "disconnect", "lan", "two").returncode == 0
    assert "eth0" not in inside(daemon, "two", "ip link")
    away(daemon, "lan", "one", "two")


@pytest.mark.parametrize("mode", ["l3", "l3s"])
def test_ipvlan_l3_routes_out_of_its_link_without_a_gateway(daemon: Daemon, line: str, mode: str) -> None:
    network(daemon, "lan", "-d", "ipvlan", "-o", f"parent={PARENT}", "-o", f"ipvlan_mode={mode}", "--subnet", "10.66.0.0/24")
    begin(daemon, "one", "--init", "--network", "lan", "busybox", "sleep", "600")
    begin(daemon, "two", "--init", "--network", "lan", "busybox", "sleep", "600")
    assert inside(daemon, "one", "ip route").splitlines()[0].split()[:3] == ["default", "dev", "eth0"]
    assert pings(daemon, "one", address(daemon, "two", "lan"))
    subprocess.run(["ip", "-n", line, "route", "add", "10.66.0.0/24", "via", "203.0.113.1"], check=True)
    assert pings(daemon, "one", "203.0.113.2")
    subprocess.run(["ip", "-n", line, "route", "del", "10.66.0.0/24"], check=True)
    away(daemon, "lan", "one", "two")


def test_ipvlan_takes_no_hardware_address_and_limits_what_is_sent(daemon: Daemon, line: str) -> None:
    network(daemon, "lan", "-d", "ipvlan", "-o", f"parent={PARENT}", "--subnet", "10.66.0.0/24")
    words = refusal(daemon, "--network", "lan", "--mac-address", "02:00:00:00:00:01", "busybox", "true")
    assert "ipvlan interfaces do not support custom mac address assignment" in words
    assert "what a container receives on a ipvlan network cannot be limited" in refusal(
        daemon, "--network", "lan", "--net-down", "8mbit", "busybox", "true"
    )
    found = begin(daemon, "one", "--init", "--network", "lan", "--net-up", "8mbit", "busybox", "sleep", "600")
    shown = subprocess.run(
        ["nsenter", f"--net=/proc/{found['State']['Pid']}/ns/net", "tc", "qdisc", "show", "dev", "eth0"], capture_output=True, text=True
    ).stdout
    assert "tbf" in shown and "rate 8Mbit" in shown
    away(daemon, "lan", "one")


def test_a_vlan_of_the_parent_is_made_carries_and_goes_with_the_network(daemon: Daemon, line: str) -> None:
    for words in (("link", "add", "link", FAR, "name", f"{FAR}.7", "type", "vlan", "id", "7"), ("link", "set", f"{FAR}.7", "up")):
        subprocess.run(["ip", "-n", line, *words], check=True)
    subprocess.run(["ip", "-n", line, "addr", "add", "10.67.0.9/24", "dev", f"{FAR}.7"], check=True)
    network(daemon, "tagged", "-d", "macvlan", "-o", f"parent={PARENT}.7", "--subnet", "10.67.0.0/24", "--gateway", "10.67.0.9")
    begin(daemon, "one", "--init", "--network", "tagged", "busybox", "sleep", "600")
    assert pings(daemon, "one", "10.67.0.9")
    assert "vlan protocol 802.1Q id 7" in daemon.run_inside(["ip", "-d", "link", "show", f"{PARENT}.7"]).stdout
    away(daemon, "tagged", "one")
    deadline = time.monotonic() + 60
    while daemon.run_inside(["ip", "link", "show", f"{PARENT}.7"], check=False).returncode == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    subprocess.run(["ip", "-n", line, "link", "del", f"{FAR}.7"], check=True)


@pytest.mark.parametrize("mode", ["bridge", "private", "vepa", "passthru"])
def test_macvlan_has_its_modes(daemon: Daemon, line: str, mode: str) -> None:
    network(daemon, "lan", "-d", "macvlan", "-o", f"parent={PARENT}", "-o", f"macvlan_mode={mode}", "--subnet", "203.0.113.0/24")
    found = begin(daemon, "one", "--init", "--network", "name=lan,ip=203.0.113.77", "busybox", "sleep", "600")
    enter = ["nsenter", f"--net=/proc/{found['State']['Pid']}/ns/net"]
    assert f"mode {mode}" in subprocess.run([*enter, "ip", "-d", "link", "show", "eth0"], capture_output=True, text=True).stdout
    assert pings(daemon, "one", "203.0.113.2")
    away(daemon, "lan", "one")


def test_without_a_parent_a_network_is_between_containers_alone(daemon: Daemon) -> None:
    network(daemon, "alone", "-d", "macvlan", "--internal", "--subnet", "10.68.0.0/24")
    for name in ("one", "two"):
        begin(daemon, name, "--init", "--network", "alone", "busybox", "sleep", "600")
    assert pings(daemon, "one", address(daemon, "two", "alone"))
    assert "default" not in inside(daemon, "one", "ip route")
    away(daemon, "alone", "one", "two")


def test_sctp_ports_are_published(daemon: Daemon, line: str) -> None:
    found = begin(daemon, "one", "--init", "-p", "7000:7000/sctp", "busybox", "sleep", "600")
    assert found["NetworkSettings"]["Ports"]["7000/sctp"][0]["HostPort"] == "7000"
    server = _socket(f"/proc/{found['State']['Pid']}/ns/net")
    server.bind(("0.0.0.0", 7000))
    server.listen()
    server.settimeout(30)
    client = _socket(f"/run/netns/{line}")
    client.settimeout(30)
    client.connect(("203.0.113.1", 7000))
    peer, (source, _) = server.accept()
    assert source == "203.0.113.2"
    peer.sendall(b"hello")
    assert client.recv(16) == b"hello"
    for sock in (peer, client, server):
        sock.close()
    remove(daemon, "one")
    again = begin(daemon, "two", "--init", "-p", "7000:7000/sctp", "busybox", "sleep", "600")
    assert again["NetworkSettings"]["Ports"]["7000/sctp"][0]["HostPort"] == "7000"
    remove(daemon, "two")


def _socket(space: str) -> socket.socket:
    """Return an SCTP socket made in a network namespace."""
    fd = os.open(space, os.O_RDONLY)
    try:
        with netns.entered(fd):
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
    finally:
        os.close(fd)


def test_names_are_found_and_a_limit_holds_on_a_line_that_loses_packets(daemon: Daemon) -> None:
    network(daemon, "bad")
    one = begin(
        daemon, "one", "--init", "--network", "bad", "--net-down", "8mbit", "busybox", "sh", "-c", "nc -ll -p 9000 -e cat & sleep 600"
    )
    begin(daemon, "two", "--init", "--network", "bad", "busybox", "sleep", "600")
    # The loss is at the far end of what limits, which stays as it is.
    enter = ["nsenter", f"--net=/proc/{one['State']['Pid']}/ns/net"]
    subprocess.run([*enter, "tc", "qdisc", "add", "dev", "eth0", "root", "netem", "loss", "10%", "delay", "5ms"], check=True)
    answers = [daemon.argosy("exec", "one", "nslookup", "-type=a", "two").returncode for _ in range(5)]
    assert answers == [0] * 5
    text = inside(daemon, "two", "head -c 200000 /dev/zero | nc -w 60 one 9000 | wc -c")
    assert int(text) > 0
    assert daemon.argosy("update", "--net-down", "none", "one").returncode == 0
    away(daemon, "bad", "one", "two")
