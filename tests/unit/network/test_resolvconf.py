"""resolv.conf and hosts."""

from argosy.network import resolvconf
from argosy.network.resolvconf import ResolvConf


def test_the_last_search_counts_options_add_up_and_comments_do_not() -> None:
    text = "# x\nnameserver 1.1.1.1 # y\nsearch a b\ndomain c\noptions ndots:2\noptions rotate;z\nnameserver\nbogus 1\n"
    assert resolvconf.parse(text) == ResolvConf(("1.1.1.1",), ("c",), ("ndots:2", "rotate"))


def test_the_hosts_loopback_resolvers_are_replaced_by_the_real_ones() -> None:
    real = ResolvConf(("192.0.2.53",))
    assert resolvconf.reachable_servers(ResolvConf(("127.0.0.53",)), real, ipv6=False) == ("192.0.2.53",)
    assert resolvconf.reachable_servers(ResolvConf(("127.0.0.1",)), ResolvConf(), ipv6=False) == ("8.8.8.8", "8.8.4.4")
    assert resolvconf.reachable_servers(ResolvConf(("127.0.0.1", "9.9.9.9")), real, ipv6=False) == ("9.9.9.9",)
    assert resolvconf.reachable_servers(ResolvConf(("fe80::1%eth0", "9.9.9.9")), real, ipv6=False) == ("9.9.9.9",)
    assert resolvconf.reachable_servers(ResolvConf(("fd00::1",)), real, ipv6=True) == ("fd00::1",)


def test_what_was_asked_takes_the_place_of_the_hosts() -> None:
    host = ResolvConf(("1.1.1.1",), ("corp",), ("rotate",))
    assert resolvconf.override(host, (), (), ()) == host
    assert resolvconf.override(host, ("9.9.9.9",), ("x", "y"), ("ndots:3",)) == ResolvConf(("9.9.9.9",), ("x", "y"), ("ndots:3",))
    assert resolvconf.override(host, (), (".",), ()).search == ()


def test_short_names_go_to_the_embedded_resolver_first_unless_told_otherwise() -> None:
    assert resolvconf.embedded_options(("rotate",)) == ("rotate", "ndots:0")
    assert resolvconf.embedded_options(("ndots:3",)) == ("ndots:3",)


def test_what_is_rendered_is_parsed_back() -> None:
    config = ResolvConf(("1.1.1.1", "fd00::1"), ("a", "b"), ("ndots:0",))
    text = resolvconf.render(config, ["a note"]).decode()
    assert resolvconf.parse(text) == config
    assert text.endswith("# a note\n")


def test_hosts_has_localhost_first() -> None:
    lines = resolvconf.hosts_file([("10.0.0.2", "box.example box")]).decode().splitlines()
    assert lines[0] == "127.0.0.1\tlocalhost"
    assert lines[1] == "::1\tlocalhost ip6-localhost ip6-loopback"
    assert lines[-1] == "10.0.0.2\tbox.example box"
