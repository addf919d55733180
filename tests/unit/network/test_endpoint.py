"""What a container gets of its networks."""

import dataclasses

import pytest

from argosy.base.errors import ForbiddenError, InvalidParameterError, SystemFailureError
from argosy.network import endpoint as endpoints
from argosy.network import wiring
from argosy.network.endpoint import Box
from argosy.network.model import EndpointIpamConfig, EndpointSettings, SandboxRequest
from argosy.network.publish import Published
from argosy.network.record import Network, NetworkRecord, PoolRecord
from argosy.network.settings import NetworkSettings

REQUEST = SandboxRequest(
    container_id="c" * 64,
    name="box",
    hostname="host",
    domainname="",
    endpoints=(),
    network_mode="n",
    port_bindings={},
    publish_all=False,
    dns=(),
    dns_search=(),
    dns_options=(),
    extra_hosts=(),
    exposed_ports=(),
)


def network(name: str = "n", subnet: str = "10.0.0.0/24", *, named: bool = True, **more: object) -> Network:
    gateway = subnet.replace("0/24", "1")
    record = NetworkRecord(
        id=name * 8,
        name=name,
        created=1,
        driver="bridge",
        link=f"br-{name}",
        pools=(PoolRecord(subnet, gateway=gateway, named=named),),
        **more,
    )  # type: ignore[arg-type]
    return Network.of(record)


def box(*networks: tuple[Network, EndpointSettings], **more: object) -> Box:
    found = Box(dataclasses.replace(REQUEST, **more))  # type: ignore[arg-type]
    for one, settings in networks:
        found.networks[one.record.id] = (one, settings, endpoints.allocate(one, found.request, settings))
    return found


def test_an_endpoint_has_address_gateway_and_names() -> None:
    attachment = endpoints.allocate(network(), REQUEST, EndpointSettings(aliases=("web",)))
    endpoint = attachment.endpoint
    assert (endpoint.ip_address, endpoint.ip_prefix_len, endpoint.gateway) == ("10.0.0.2", 24, "10.0.0.1")
    assert endpoint.dns_names == ("box", "web", "c" * 12, "host")
    assert int(endpoint.mac_address[:2], 16) & 3 == 2
    assert len(attachment.host_link) == 15


def test_the_default_network_shows_no_names_and_internal_ones_no_gateway() -> None:
    assert endpoints.allocate(network(predefined=True), REQUEST, EndpointSettings()).endpoint.dns_names == ()
    assert endpoints.allocate(network(internal=True), REQUEST, EndpointSettings()).endpoint.gateway == ""


def test_an_address_of_an_unused_family_is_noted_and_not_given() -> None:
    one = network(ipam_config=({"Subnet": "10.0.0.0/24"}, {"Subnet": "2001:db8::/64"}))
    asked = EndpointSettings(ipam_config=EndpointIpamConfig(ipv6_address="2001:db8::f00d"))
    endpoint = endpoints.allocate(one, REQUEST, asked).endpoint
    assert (endpoint.ip_address, endpoint.global_ipv6_address) == ("10.0.0.2", "")


def test_a_name_is_in_a_network_once() -> None:
    one = network()
    endpoints.allocate(one, REQUEST, EndpointSettings())
    with pytest.raises(ForbiddenError, match="endpoint with name box already exists in network n"):
        endpoints.allocate(one, dataclasses.replace(REQUEST, container_id="d" * 64), EndpointSettings())


def test_a_full_network_says_so_and_keeps_nothing() -> None:
    one = network(subnet="10.0.0.0/24")
    while one.pools[0].allocate() is not None:
        pass
    with pytest.raises(SystemFailureError, match="no available IPv4 addresses"):
        endpoints.allocate(one, REQUEST, EndpointSettings())
    assert one.attachments == {}


@pytest.mark.parametrize(
    ("settings", "named", "words"),
    [
        (
            EndpointSettings(ipam_config=EndpointIpamConfig("10.56.0.77")),
            True,
            "no configured subnet or ip-range contain the IP address 10.56.0.77",
        ),
        (
            EndpointSettings(ipam_config=EndpointIpamConfig("zz")),
            True,
            r"\* invalid IPv4 address: zz\n\* no configured subnet or ip-range contain the IP address zz",
        ),
        (
            EndpointSettings(ipam_config=EndpointIpamConfig("", "fd00::9")),
            True,
            "user specified IP address is supported only when connecting to networks with user configured subnets",
        ),
        (
            EndpointSettings(ipam_config=EndpointIpamConfig("10.0.0.9")),
            False,
            "user specified IP address is supported only when connecting to networks with user configured subnets",
        ),
        (EndpointSettings(mac_address="zz"), True, "invalid MAC address zz"),
    ],
)
def test_bad_settings_are_refused_in_dockers_words(settings: EndpointSettings, named: bool, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        endpoints.validate(network(named=named), settings)


def test_the_default_network_takes_neither_aliases_nor_addresses() -> None:
    settings = EndpointSettings(aliases=("x",), ipam_config=EndpointIpamConfig("10.0.0.9"))
    with pytest.raises(InvalidParameterError) as caught:
        endpoints.validate(network(predefined=True, named=False), settings)
    assert str(caught.value).splitlines() == [
        "invalid endpoint settings:",
        "* network-scoped alias is supported only for containers in user defined networks",
        "* user specified IP address is supported on user defined networks only",
        "* user specified IP address is supported only when connecting to networks with user configured subnets",
    ]


def test_the_default_route_goes_by_priority_then_by_name_and_never_inside() -> None:
    a, b, inside = network("a", "10.1.0.0/24"), network("b", "10.2.0.0/24"), network("0", "10.3.0.0/24", internal=True)
    assert wiring.gateways(box((b, EndpointSettings()), (a, EndpointSettings()), (inside, EndpointSettings()))) == ("10.1.0.1", "")
    b2 = network("b", "10.2.0.0/24")
    assert wiring.gateways(box((b2, EndpointSettings(gw_priority=1)), (network("a", "10.1.0.0/24"), EndpointSettings()))) == (
        "10.2.0.1",
        "",
    )
    assert wiring.gateways(box((network("i", internal=True), EndpointSettings()))) == ("", "")


def test_ports_lead_by_rules_where_they_can_and_by_the_proxy_where_they_cannot() -> None:
    one = box((network(), EndpointSettings()))
    one.ports = [Published("tcp", 80, "0.0.0.0", 8080), Published("tcp", 80, "::", 8080), Published("udp", 53, "::1", 53)]
    assert wiring.elements(one) == {("any4", "tcp . 8080 : 10.0.0.2 . 80")}
    assert wiring.proxied(one, NetworkSettings()) == {("tcp :: 8080", "10.0.0.2", 80), ("udp ::1 53", "10.0.0.2", 53)}
    assert wiring.proxied(one, NetworkSettings(userland_proxy=False)) == frozenset()
    assert len(wiring.proxied(one, NetworkSettings(iptables=False))) == 3


def test_allow_lists_and_inner_sysctls_are_parsed_or_refused() -> None:
    assert endpoints.allow_lists({"argosy.publish.allow.80": "10.0.0.0/8, 192.0.2.1", "x": "y"}) == {
        "80/tcp": ("10.0.0.0/8", "192.0.2.1/32")
    }
    with pytest.raises(InvalidParameterError, match="invalid source address in an allow list: here"):
        endpoints.allow_lists({"argosy.publish.allow.80/tcp": "here"})
    key = "com.docker.network.endpoint.sysctls"
    assert endpoints.inner_sysctls({key: "net.ipv4.conf.IFNAME.log_martians=1"}) == (("ipv4/conf/IFNAME/log_martians", "1"),)
    for bad in ("kernel.x=1", "net.ipv4.conf.all.x=1", "net.ipv4.conf.IFNAME.x", "net.ipv4/../conf.x.IFNAME.y=1"):
        with pytest.raises(InvalidParameterError, match="unrecognised network interface sysctl"):
            endpoints.inner_sysctls({key: bad})


def other_kind(driver: str, **options: str) -> Network:
    pools = (PoolRecord("10.0.0.0/24", gateway="10.0.0.1", named=True), PoolRecord("10.1.0.0/24", gateway="10.1.0.9", named=True))
    return Network.of(NetworkRecord(id="k" * 8, name="k", created=1, driver=driver, link="up0", pools=pools, options=options))


def test_the_gateway_is_that_of_the_addresss_own_subnet() -> None:
    asked = EndpointSettings(ipam_config=EndpointIpamConfig("10.1.0.5"))
    endpoint = endpoints.allocate(other_kind("macvlan"), REQUEST, asked).endpoint
    assert (endpoint.ip_address, endpoint.gateway) == ("10.1.0.5", "10.1.0.9")


def test_an_ipvlan_endpoint_has_no_hardware_address_of_its_own() -> None:
    assert endpoints.allocate(other_kind("ipvlan"), REQUEST, EndpointSettings()).endpoint.mac_address == ""
    with pytest.raises(InvalidParameterError, match="ipvlan interfaces do not support custom mac address assignment"):
        endpoints.allocate(other_kind("ipvlan"), REQUEST, EndpointSettings(mac_address="02:00:00:00:00:01"))


def test_routed_ipvlan_has_no_gateway_but_a_route_out_of_its_link() -> None:
    one = other_kind("ipvlan", ipvlan_mode="l3")
    assert wiring.gateways(box((one, EndpointSettings()))) == ("@10.0.0.2", "")
    assert wiring.gateways(box((other_kind("ipvlan"), EndpointSettings()))) == ("10.0.0.1", "")
    # A network with a gateway leads outside before one without.
    assert (
        wiring.gateways(box((other_kind("ipvlan", ipvlan_mode="l3s"), EndpointSettings()), (network(), EndpointSettings())))[0]
        == "10.0.0.1"
    )
