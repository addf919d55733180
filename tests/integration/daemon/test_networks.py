"""What the command line and labels say about bandwidth and about who may reach a port, and that it stays so."""

from collections.abc import Callable

import pytest

from integration.daemon.steps import executed
from support.daemon import Daemon

pytestmark = pytest.mark.root

DOWN, UP = "argosy.net.down", "argosy.net.up"


def ran(daemon: Daemon, *words: str) -> str:
    done = daemon.argosy(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def options(daemon: Daemon, name: str, network: str = "bridge") -> dict[str, str]:
    return dict(daemon.api("GET", f"/containers/{name}/json")["NetworkSettings"]["Networks"][network]["DriverOpts"] or {})


def queues(daemon: Daemon, name: str) -> tuple[str, str]:
    """Return what tc says of both ends of a container's first link."""
    pid = daemon.api("GET", f"/containers/{name}/json")["State"]["Pid"]
    endpoint = next(iter(daemon.api("GET", f"/containers/{name}/json")["NetworkSettings"]["Networks"].values()))["EndpointID"]
    outside = daemon.run_inside(["tc", "qdisc", "show", "dev", f"veth{endpoint[:11]}"]).stdout
    inside = daemon.run_inside(["nsenter", f"--net=/proc/{pid}/ns/net", "tc", "qdisc", "show", "dev", "eth0"]).stdout
    return _rate(outside), _rate(inside)


def _rate(text: str) -> str:
    return text.partition(" rate ")[2].partition(" ")[0]


def test_bandwidth_is_given_changed_kept_and_lifted(leak_check: object, argosyd: Daemon) -> None:
    ran(argosyd, "run", "-d", "--init", "--name", "web", "--net-down", "8mbit", "--net-up", "2mbit", "busybox", "sleep", "600")
    assert options(argosyd, "web") == {DOWN: "8mbit", UP: "2mbit"}
    assert queues(argosyd, "web") == ("8Mbit", "2Mbit")
    ran(argosyd, "update", "--net-down", "16mbit", "web")
    assert queues(argosyd, "web") == ("16Mbit", "2Mbit")
    ran(argosyd, "restart", "web")
    assert queues(argosyd, "web") == ("16Mbit", "2Mbit")
    argosyd.kill()
    argosyd.start()
    assert queues(argosyd, "web") == ("16Mbit", "2Mbit")
    ran(argosyd, "update", "--net-down", "none", "--net-up", "none", "web")
    assert queues(argosyd, "web") == ("", "")
    assert options(argosyd, "web") == {DOWN: "none", UP: "none"}


def test_each_network_is_a_channel_of_its_own(leak_check: object, argosyd: Daemon) -> None:
    for name in ("back", "front"):
        ran(argosyd, "network", "create", name)
    networks = ("--network", "name=back,net-down=1mbit", "--network", "front")
    ran(argosyd, "run", "-d", "--init", "--name", "web", *networks, "--net-down", "3mbit", "busybox", "sleep", "600")
    assert (options(argosyd, "web", "back"), options(argosyd, "web", "front")) == ({DOWN: "1mbit"}, {DOWN: "3mbit"})
    ran(argosyd, "update", "--net-up", "4mbit", "--network", "front", "web")
    assert (options(argosyd, "web", "back"), options(argosyd, "web", "front")) == ({DOWN: "1mbit"}, {DOWN: "3mbit", UP: "4mbit"})
    ran(argosyd, "run", "-d", "--init", "--name", "other", "busybox", "sleep", "600")
    ran(argosyd, "network", "connect", "--net-down", "5mbit", "front", "other")
    assert options(argosyd, "other", "front") == {DOWN: "5mbit"}


def test_labels_are_for_clients_that_have_no_such_flags(leak_check: object, argosyd: Daemon) -> None:
    argosyd.api("POST", "/networks/create", {"Name": "back"})
    labels = {DOWN: "8mbit", "argosy.net.back.down": "1mbit", "argosy.publish.allow.80/tcp": "192.0.2.0/24"}
    host = {"Init": True, "PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}
    argosyd.api("POST", "/containers/create?name=web", {"Image": "busybox", "Cmd": ["sleep", "60"], "Labels": labels, "HostConfig": host})
    argosyd.api("POST", "/containers/web/start")
    assert options(argosyd, "web") == {DOWN: "8mbit"}
    assert queues(argosyd, "web") == ("8Mbit", "")
    argosyd.api("POST", "/networks/back/connect", {"Container": "web"})
    assert options(argosyd, "web", "back") == {DOWN: "1mbit"}
    # The list of sources is the container's: it holds wherever its ports lead.
    argosyd.api("POST", "/networks/bridge/disconnect", {"Container": "web"})
    assert argosyd.api("GET", "/ports")["Ports"][0]["From"] == ["192.0.2.0/24"]


def test_bad_values_are_refused_before_anything_is_made(argosyd: Daemon) -> None:
    for words, fault in (
        (("--net-down", "fast"), "argosy.net.down: invalid bandwidth 'fast'"),
        (("--network", "host", "--net-up", "1mbit"), "a link of its own"),
        (("--network", "container:none-such", "--net-up", "1mbit"), "bandwidth cannot be limited in network mode container:none-such"),
        (("--label", "argosy.publish.allow.80/tcp=here"), "invalid source address in an allow list: here"),
        (("-p", "80:80,allow=here"), "invalid source in -p 80:80,allow=here"),
    ):
        done = argosyd.argosy("run", "-d", *words, "busybox", "sleep", "60")
        assert done.returncode == 125, done.stdout
        assert fault in done.stderr
    assert argosyd.api("GET", "/containers/json?all=1") == []
    ran(argosyd, "run", "-d", "--init", "--name", "web", "busybox", "sleep", "600")
    done = argosyd.argosy("update", "--net-down", "8mbps", "web")
    assert done.returncode == 1
    assert "invalid bandwidth '8mbps'" in done.stderr
    assert options(argosyd, "web") == {}
    ran(argosyd, "run", "-d", "--init", "--name", "guest", "--network", "container:web", "busybox", "sleep", "600")
    assert "guest has no network of its own" in argosyd.argosy("update", "--net-down", "8mbit", "guest").stderr


def test_inspect_tells_how_many_addresses_are_left(argosyd: Daemon) -> None:
    body = {"Name": "n", "IPAM": {"Config": [{"Subnet": "10.55.0.0/16", "IPRange": "10.55.1.0/24", "Gateway": "10.55.0.1"}]}}
    argosyd.api("POST", "/networks/create", body)
    ran(argosyd, "run", "-d", "--init", "--network", "n", "busybox", "sleep", "600")
    argosyd.api.version = "v1.52"
    # Taken or nobody's: the first and the last of the subnet, the gateway, the container's.
    counts = argosyd.api("GET", "/networks/n")["Status"]["IPAM"]["Subnets"]["10.55.0.0/16"]
    assert counts == {"IPsInUse": 4, "DynamicIPsAvailable": 255}
    argosyd.api.version = "v1.51"
    assert "Status" not in argosyd.api("GET", "/networks/n")


def test_who_can_reach_a_port_is_shown(argosyd: Daemon) -> None:
    ports = ("-p", "5432:5432,allow=192.0.2.0/24", "-p", "127.0.0.1:81:80", "-p", "82:82")
    ran(argosyd, "run", "-d", "--init", "--name", "db", *ports, "busybox", "sleep", "600")
    assert ran(argosyd, "port", "audit").splitlines()[0].split() == ["CONTAINER", "PORT", "TO", "REACHABLE", "BY"]
    who = {line.split()[1]: line.split("   ")[-1].strip() for line in ran(argosyd, "port", "audit", "db").splitlines()[1:]}
    assert who["0.0.0.0:5432/tcp"] == "192.0.2.0/24"
    assert who["127.0.0.1:81/tcp"] == "this host"
    assert who["0.0.0.0:82/tcp"] == "everybody"
    assert "5432->5432/tcp (192.0.2.0/24)" in ran(argosyd, "ps", "--format", "{{.Ports}}")
    # Not a word about open ports where nobody sits at a terminal.
    assert argosyd.argosy("run", "--rm", "-p", "83:83", "busybox", "true").stderr == ""


def test_a_daemon_that_dies_while_it_limits_is_followed_by_one_that_agrees_with_the_kernel(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons(environ={"ARGOSY_FAILPOINTS": "network.limit=kill"})
    ran(daemon, "run", "-d", "--init", "--name", "web", "busybox", "sleep", "600")
    assert daemon.argosy("update", "--net-down", "8mbit", "--net-up", "8mbit", "web").returncode != 0
    assert daemon.process is not None
    daemon.process.wait(20)
    daemon.environ.clear()
    daemon.start()
    found = options(daemon, "web")
    assert queues(daemon, "web") == tuple(found.get(key, "none").replace("mbit", "Mbit").replace("none", "") for key in (DOWN, UP))
    assert executed(daemon, "web", "true") == (0, "")
