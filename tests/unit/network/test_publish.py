"""Ports: what is asked, what is taken, and in which words it is refused."""

import dataclasses

import pytest

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.network import publish
from argosy.network.drivers.options import BridgeOptions
from argosy.network.model import PortBinding, SandboxRequest
from argosy.network.publish import HostPorts, Published, Wanted

REQUEST = SandboxRequest(
    container_id="c" * 64,
    name="c",
    hostname="c",
    domainname="",
    endpoints=(),
    network_mode="bridge",
    port_bindings={},
    publish_all=False,
    dns=(),
    dns_search=(),
    dns_options=(),
    extra_hosts=(),
    exposed_ports=(),
)


@pytest.mark.parametrize(
    ("text", "found"), [("", (0, 0)), ("0", (0, 0)), ("80", (80, 80)), ("8000-8010", (8000, 8010)), ("65535", (65535, 65535))]
)
def test_host_ports_and_ranges(text: str, found: tuple[int, int]) -> None:
    assert publish.parse_range(text) == found


@pytest.mark.parametrize("text", ["x", "70000", "18090-18080", "-1", "1-", "8 0", "80-x", "٣"])
def test_bad_host_ports_are_refused_in_dockers_words(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="invalid port specification: "):
        publish.parse_range(text)


def test_container_ports() -> None:
    assert publish.parse_port("80") == (80, "tcp")
    assert publish.parse_port("53/UDP") == (53, "udp")
    with pytest.raises(InvalidParameterError, match='invalid port specification: "99999"'):
        publish.parse_port("99999/tcp")


def test_bindings_come_by_port_and_what_is_no_address_means_all_of_them() -> None:
    request = dataclasses.replace(
        REQUEST,
        port_bindings={"443/tcp": (PortBinding("foo", "443"),), "80/tcp": (PortBinding("127.0.0.1", ""), PortBinding("", "8000-8001"))},
    )
    assert publish.wanted(request) == [
        Wanted("tcp", 80, "127.0.0.1", 0, 0),
        Wanted("tcp", 80, "", 8000, 8001),
        Wanted("tcp", 443, "", 443, 443),
    ]


def test_publish_all_takes_exposed_ports_and_keeps_what_was_said_of_them() -> None:
    request = dataclasses.replace(
        REQUEST, publish_all=True, exposed_ports=("80/tcp", "53/udp"), port_bindings={"80/tcp": (PortBinding("", "8080"),), "53/udp": ()}
    )
    assert publish.wanted(request) == [Wanted("udp", 53, "", 0, 0), Wanted("tcp", 80, "", 8080, 8080)]


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(SystemFailureError, match="unknown protocol"):
        publish.wanted(dataclasses.replace(REQUEST, port_bindings={"80/foo": (PortBinding(),)}))


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (("tcp", "0.0.0.0", 80), ("tcp", "127.0.0.1", 80), True),
        (("tcp", "127.0.0.1", 80), ("tcp", "127.0.0.2", 80), False),
        (("tcp", "0.0.0.0", 80), ("udp", "0.0.0.0", 80), False),
        (("tcp", "0.0.0.0", 80), ("tcp", "::", 80), False),
        (("tcp", "::", 80), ("tcp", "::1", 80), True),
        (("tcp", "0.0.0.0", 80), ("tcp", "0.0.0.0", 81), False),
    ],
)
def test_which_ports_cannot_both_be_had(one: tuple[str, str, int], other: tuple[str, str, int], clash: bool) -> None:
    first, second = (Published(proto, 80, ip, port) for proto, ip, port in (one, other))
    assert publish.overlap(first, second) is publish.overlap(second, first) is clash


def test_ipv6_is_left_out_where_nothing_could_carry_it() -> None:
    want = Wanted("tcp", 80, "", 80, 80)
    assert HostPorts(default_ip="0.0.0.0", ipv6=lambda: True, proxy=True).addresses(want, ipv6_target=False) == ("0.0.0.0", "::")
    assert HostPorts(default_ip="0.0.0.0", ipv6=lambda: True, proxy=False).addresses(want, ipv6_target=False) == ("0.0.0.0",)
    assert HostPorts(default_ip="0.0.0.0", ipv6=lambda: True, proxy=False).addresses(want, ipv6_target=True) == ("0.0.0.0", "::")
    assert HostPorts(default_ip="0.0.0.0", ipv6=lambda: False, proxy=True).addresses(want, ipv6_target=False) == ("0.0.0.0",)
    assert HostPorts(default_ip="127.0.0.1", ipv6=lambda: True, proxy=True).addresses(want, ipv6_target=False) == ("127.0.0.1",)


def test_all_ports_are_bound_or_none() -> None:
    ports = HostPorts(default_ip="127.0.0.1", ipv6=lambda: False, proxy=True)
    with publish.bind_socket(Published("tcp", 1, "127.0.0.1", 0)) as probe:
        taken = probe.getsockname()[1]
        free = Wanted("udp", 80, "", 0, 0)
        clash = Wanted("tcp", 80, "", taken, taken)
        with pytest.raises(
            SystemFailureError, match=rf"failed to bind host port for 127.0.0.1:{taken}:10.0.0.2:80/tcp: address already in use"
        ):
            ports.bind([free, clash], "c", {False: "10.0.0.2", True: ""})
    bound = ports.bind([free, clash], "c", {False: "10.0.0.2", True: ""})
    assert [port.host_port for port in bound.ports][1] == taken
    with pytest.raises(SystemFailureError, match=rf"^Bind for 127.0.0.1:{taken} failed: port is already allocated$"):
        ports.bind([clash], "d", {})
    ports.release(bound.ports)
    bound.close()
    again = ports.bind([clash], "d", {})
    again.close()


@pytest.mark.parametrize(
    ("modes", "ipv6", "asked", "bound"),
    [
        (("nat", "nat"), True, "", [""]),
        (("routed", "nat"), True, "", ["::"]),
        (("routed", "nat"), False, "", []),
        (("nat", "routed"), True, "", ["0.0.0.0"]),
        (("routed", "routed"), True, "", []),
        (("routed", "nat"), True, "127.0.0.1", []),
        (("nat", "routed"), True, "127.0.0.1", ["127.0.0.1"]),
    ],
)
def test_nothing_is_bound_for_a_family_that_is_routed(modes: tuple[str, str], ipv6: bool, asked: str, bound: list[str]) -> None:
    options = BridgeOptions(gateway_mode_4=modes[0], gateway_mode_6=modes[1])
    wants = publish.adapted([Wanted("tcp", 80, asked, 8080, 8080)], options, default=False, ipv6=ipv6)
    assert [want.host_ip for want in wants] == bound


def test_a_networks_own_host_address_is_for_bindings_that_name_none() -> None:
    options = BridgeOptions(host_binding="127.0.0.1")
    wants = [Wanted("tcp", 80, "", 0, 0), Wanted("tcp", 81, "192.0.2.1", 0, 0)]
    assert [want.host_ip for want in publish.adapted(wants, options, default=False, ipv6=False)] == ["127.0.0.1", "192.0.2.1"]
    assert [want.host_ip for want in publish.adapted(wants, options, default=True, ipv6=False)] == ["", "192.0.2.1"]
