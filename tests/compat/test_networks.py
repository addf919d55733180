"""What is asked about networks, and answered in Docker's words and with its status."""

import json
import urllib.parse
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.daemon import Api
from support.docker_cli import Docker, Engine

BRIDGE = "com.docker.network.bridge."
SYSCTL_WORDS = "represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'"


def subnet(text: str, **more: Any) -> dict[str, Any]:
    return {"Config": [{"Subnet": text, **more}]}


@pytest.fixture
def api(engine: Engine, docker: Docker) -> Api:
    """The engine, in the version of a Docker 28; ``docker`` has brought it an image."""
    api = engine.api
    api.version = "v1.51"
    return api


@pytest.fixture
def made(api: Api) -> Iterator[list[str]]:
    """Routes of what a test made, removed behind it in reverse."""
    routes: list[str] = []
    yield routes
    for route in reversed(routes):
        api.raw("DELETE", route)


def words(answer: tuple[int, Any, bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[2])["message"] if answer[2] else ""


class Networks:
    """Makes networks and containers under names of a test's own."""

    def __init__(self, api: Api, made: list[str]) -> None:
        self.api = api
        self.made = made
        self.mark = "n" + uuid.uuid4().hex[:8]

    def network(self, name: str = "", **body: Any) -> str:
        full = self.mark + name
        self.api("POST", "/networks/create", {"Name": full, **body})
        self.made.append(f"/networks/{full}")
        return full

    def refused(self, **body: Any) -> tuple[int, str]:
        return words(self.api.raw("POST", "/networks/create", {"Name": self.mark + "bad", **body}))

    def create(self, network: str, settings: dict[str, Any] | None = None, *, ports: bool = False, **host: Any) -> tuple[int, Any, bytes]:
        name = self.mark + "c" + uuid.uuid4().hex[:4]
        body: dict[str, Any] = {"Image": "busybox:latest", "Cmd": ["sleep", "600"], "HostConfig": {"NetworkMode": network, **host}}
        if ports:
            body["ExposedPorts"] = {"80/tcp": {}}
        if settings is not None:
            body["NetworkingConfig"] = {"EndpointsConfig": {network: settings}}
        answer = self.api.raw("POST", f"/containers/create?name={name}", body)
        if answer[0] == 201:
            self.made.append(f"/containers/{name}?force=1")
        return answer

    def container(self, network: str, settings: dict[str, Any] | None = None, *, ports: bool = False, **host: Any) -> str:
        """Return the name of a container that runs."""
        answer = self.create(network, settings, ports=ports, **host)
        assert answer[0] == 201, answer[2]
        name = self.made[-1].removeprefix("/containers/").removesuffix("?force=1")
        self.api("POST", f"/containers/{name}/start")
        return name


@pytest.fixture
def networks(api: Api, made: list[str]) -> Networks:
    return Networks(api, made)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"IPAM": subnet("10.61.0.0")}, 400, "invalid network config:\ninvalid subnet 10.61.0.0: invalid CIDR block notation"),
        ({"IPAM": subnet("10.61.0.0/24", Gateway="10.61.0.0")}, 500, "failed to allocate gateway (10.61.0.0): Address already in use"),
        (
            {"IPAM": subnet("10.62.0.0/24", Gateway="10.62.0.1", AuxiliaryAddresses={"a": "10.62.0.1"})},
            500,
            "failed to allocate secondary ip address (a:10.62.0.1): Address already in use",
        ),
        ({"EnableIPv4": False}, 400, "IPv4 or IPv6 must be enabled"),
        ({"IPAM": {"Driver": "null"}}, 400, "ipv4 pool is empty"),
        ({"Ingress": True}, 403, "Ingress network can only be global scope network"),
        ({"Options": {BRIDGE + "gateway_mode_ipv4": "isolated"}}, 500, "gateway mode 'isolated' can only be used for an internal network"),
        (
            {"Options": {BRIDGE + "gateway_mode_ipv4": "foo"}},
            400,
            f"failed to parse {BRIDGE}gateway_mode_ipv4 value: foo (unknown gateway mode foo)",
        ),
        ({"Options": {BRIDGE + "host_binding_ipv4": "foo"}}, 400, f"failed to parse {BRIDGE}host_binding_ipv4 value: foo (nil ip)"),
        ({"Options": {BRIDGE + "name": "lo"}}, 500, "existing interface lo is not a bridge"),
        ({"Driver": "host"}, 403, 'only one instance of "host" network is allowed'),
    ],
)
def test_a_network_that_cannot_be_is_refused(networks: Networks, body: dict[str, Any], status: int, message: str) -> None:
    assert networks.refused(**body) == (status, message)
    assert networks.api.raw("GET", f"/networks/{networks.mark}bad")[0] == 404


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"IPAMConfig": {"IPv4Address": "10.78.0.9"}},
            "invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.78.0.9",
        ),
        (
            {"IPAMConfig": {"IPv4Address": "foo"}},
            "invalid endpoint settings:\n* invalid IPv4 address: foo\n* no configured subnet or ip-range contain the IP address foo",
        ),
        ({"IPAMConfig": {"LinkLocalIPs": ["zz"]}}, "invalid endpoint settings:\ninvalid link-local IP address: zz"),
        ({"MacAddress": "xx"}, "invalid MAC address xx"),
        (
            {"DriverOpts": {"com.docker.network.endpoint.sysctls": "net.foo.conf.IFNAME.x=1"}},
            f"invalid endpoint settings:\nunrecognised network interface sysctl 'net.foo.conf.IFNAME.x=1'; {SYSCTL_WORDS}",
        ),
    ],
)
def test_settings_of_an_endpoint_that_cannot_be_are_refused_at_the_creation(
    networks: Networks, settings: dict[str, Any], message: str
) -> None:
    name = networks.network(IPAM=subnet("10.77.0.0/24"))
    assert words(networks.create(name, settings)) == (400, f"invalid config for network {name}: {message}")
    container = networks.container("bridge")
    body = {"Container": container, "EndpointConfig": settings}
    assert words(networks.api.raw("POST", f"/networks/{name}/connect", body)) == (400, message)


def test_the_predefined_bridge_has_no_aliases_and_no_addresses_to_choose(networks: Networks) -> None:
    fault = "invalid config for network bridge: invalid endpoint settings:\n"
    alias = "network-scoped alias is supported only for containers in user defined networks"
    assert words(networks.create("bridge", {"Aliases": ["x"]})) == (400, fault + alias)
    status, message = words(networks.create("bridge", {"IPAMConfig": {"IPv4Address": "172.17.0.9"}}))
    assert status == 400
    assert message.startswith(fault + "* user specified IP address is supported on user defined networks only\n")


def test_host_and_none_suffer_no_other_network_and_say_so(networks: Networks) -> None:
    name = networks.network()
    shared = "container sharing network namespace with another container or host cannot be connected to any other network"
    host = networks.container("host")
    assert words(networks.api.raw("POST", f"/networks/{name}/connect", {"Container": host})) == (400, shared)
    away = "cannot disconnect container from host network - container was created in host network mode"
    assert words(networks.api.raw("POST", "/networks/host/disconnect", {"Container": host})) == (400, away)
    guest = networks.container(f"container:{networks.container(name)}")
    assert words(networks.api.raw("POST", f"/networks/{name}/connect", {"Container": guest})) == (400, shared)


def test_a_container_that_does_not_run_is_put_into_a_network_or_refused(networks: Networks) -> None:
    name = networks.network(IPAM=subnet("10.76.0.0/24"))
    assert networks.create("bridge")[0] == 201
    container = networks.made[-1].removeprefix("/containers/").removesuffix("?force=1")
    route = f"/networks/{name}/connect"
    fault = "invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.79.0.4"
    bad = {"Container": container, "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.79.0.4"}}}
    assert words(networks.api.raw("POST", route, bad)) == (400, fault)
    networks.api("POST", route, {"Container": container, "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.76.0.4"}}})
    networks.api("POST", f"/containers/{container}/start")
    shown = networks.api("GET", f"/containers/{container}/json")["NetworkSettings"]["Networks"][name]
    assert (shown["IPAddress"], shown["Gateway"]) == ("10.76.0.4", "10.76.0.1")


def test_a_range_gives_the_gateway_and_leaves_out_what_is_set_aside(networks: Networks) -> None:
    name = networks.network(IPAM=subnet("10.75.0.0/16", IPRange="10.75.5.0/24", AuxiliaryAddresses={"x": "10.75.5.1"}))
    shown = networks.api("GET", f"/containers/{networks.container(name)}/json")["NetworkSettings"]["Networks"][name]
    assert (shown["Gateway"], shown["IPAddress"]) == ("10.75.5.0", "10.75.5.2")


def test_a_full_network_says_so(networks: Networks) -> None:
    name = networks.network(IPAM=subnet("10.74.0.0/30"))
    networks.container(name)
    answer = networks.create(name)
    assert answer[0] == 201
    container = networks.made[-1].removeprefix("/containers/").removesuffix("?force=1")
    status, message = words(networks.api.raw("POST", f"/containers/{container}/start"))
    assert status == 500
    assert f"no available IPv4 addresses on this network's address pools: {name} " in message


def test_a_link_to_nobody_is_refused_at_the_creation(networks: Networks) -> None:
    assert words(networks.create("bridge", Links=["nobody:db"])) == (
        400,
        "could not get container for nobody: No such container: nobody",
    )


def test_filters_and_flags_of_no_sense_are_refused(networks: Networks) -> None:
    name = networks.network()
    fault = 'invalid value for verbose: foo: strconv.ParseBool: parsing "foo": invalid syntax'
    assert words(networks.api.raw("GET", f"/networks/{name}?verbose=foo")) == (400, fault)
    both = "/networks?filters=%7B%22dangling%22%3A%20%5B%22true%22%2C%20%22false%22%5D%7D"
    assert words(networks.api.raw("GET", both)) == (400, 'got more than one value for filter key "dangling"')


def test_a_link_is_shown_between_full_names_and_known_by_its_ports(networks: Networks) -> None:
    server = networks.container("bridge")
    client = networks.container("bridge", None, Links=[f"{server}:db"])
    assert networks.api("GET", f"/containers/{client}/json")["HostConfig"]["Links"] == [f"/{server}:/{client}/db"]


def test_racing_clients_get_one_network_of_a_name_and_the_others_a_conflict(networks: Networks) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: networks.api.raw("POST", "/networks/create", {"Name": networks.mark}), range(8)))
    networks.made.append(f"/networks/{networks.mark}")
    assert sorted(answer[0] for answer in answers) == [201] + [409] * 7
    named = "/networks?filters=" + urllib.parse.quote(json.dumps({"name": [networks.mark]}))
    assert len(networks.api("GET", named)) == 1


def test_racing_connects_and_removals_leave_a_sound_state(networks: Networks) -> None:
    container = networks.container("bridge")
    for number in range(4):
        name = networks.network(str(number))
        body = {"Container": container}
        calls = [("POST", f"/networks/{name}/connect", body)] * 3 + [("DELETE", f"/networks/{name}", None)]
        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(lambda call: networks.api.raw(*call)[0], calls))
        assert set(statuses[:3]) <= {200, 403, 404}
        there = networks.api.raw("GET", f"/networks/{name}")[0] == 200
        joined = name in networks.api("GET", f"/containers/{container}/json")["NetworkSettings"]["Networks"]
        assert (statuses[3], there, joined) in {(204, False, False), (403, True, True)}, statuses


def published(networks: Networks, container: str) -> dict[str, Any]:
    ports: dict[str, Any] = networks.api("GET", f"/containers/{container}/json")["NetworkSettings"]["Ports"]
    return ports


def test_a_routed_network_shows_its_ports_without_one_of_the_hosts(networks: Networks) -> None:
    options = {BRIDGE + "gateway_mode_ipv4": "routed", BRIDGE + "gateway_mode_ipv6": "routed"}
    name = networks.network(EnableIPv6=True, Options=options)
    container = networks.container(name, ports=True, PortBindings={"80/tcp": [{"HostPort": "8089"}]})
    assert published(networks, container)["80/tcp"] == [{"HostIp": "0.0.0.0", "HostPort": ""}, {"HostIp": "::", "HostPort": ""}]
    shown = next(one for one in networks.api("GET", "/containers/json") if one["Names"] == [f"/{container}"])
    assert {"IP": "0.0.0.0", "PrivatePort": 80, "Type": "tcp"} in shown["Ports"]


def test_ports_go_with_the_last_network_and_come_back_with_the_next(networks: Networks) -> None:
    name = networks.network(IPAM=subnet("10.73.0.0/24"))
    container = networks.container(name, ports=True, PortBindings={"80/tcp": [{"HostPort": "8088"}]})
    assert published(networks, container)["80/tcp"][0]["HostPort"] == "8088"
    networks.api("POST", f"/networks/{name}/disconnect", {"Container": container})
    assert not published(networks, container).get("80/tcp")
    networks.api("POST", f"/networks/{name}/connect", {"Container": container})
    assert published(networks, container)["80/tcp"][0]["HostPort"] == "8088"


def test_a_container_that_is_restarted_has_its_address_again(networks: Networks) -> None:
    name = networks.network(IPAM=subnet("10.72.0.0/24"))
    networks.container(name)
    container = networks.container(name)
    for _ in range(3):
        networks.api("POST", f"/containers/{container}/restart?t=0")
        assert networks.api("GET", f"/containers/{container}/json")["NetworkSettings"]["Networks"][name]["IPAddress"] == "10.72.0.3"
