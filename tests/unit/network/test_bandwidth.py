"""What is asked of an endpoint's bandwidth, and the token bucket that follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import InvalidParameterError
from argosy.network import bandwidth
from argosy.network.bandwidth import Bandwidth
from argosy.network.model import EndpointSettings


@pytest.mark.parametrize(
    ("text", "bits"),
    [("8mbit", 8_000_000), ("512kbit", 512_000), ("1.5Gbit", 1_500_000_000), (" 8000bit ", 8000), ("none", 0), ("0", 0), ("unlimited", 0)],
)
def test_rates_are_read_as_tc_reads_bits(text: str, bits: int) -> None:
    assert bandwidth.parse_rate(text) == bits


@pytest.mark.parametrize("text", ["", "8", "8mbps", "8 mbit", "-1mbit", "mbit", "1e3kbit", "8mbits", "½mbit", "1.mbit"])
def test_what_is_no_rate_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="bit, kbit, mbit or gbit"):
        bandwidth.parse_rate(text)


@pytest.mark.parametrize("text", ["7kbit", "1bit", "0.001kbit", "1001gbit"])
def test_rates_that_cannot_be_kept_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="between 8kbit and 1000gbit"):
        bandwidth.parse_rate(text)


def test_the_fault_names_the_option() -> None:
    with pytest.raises(InvalidParameterError, match=r"^argosy\.net\.up: invalid bandwidth 'fast'"):
        bandwidth.asked({bandwidth.UP: "fast"})
    assert bandwidth.asked(None) == Bandwidth()


def test_labels_stand_for_options_and_the_nearest_counts() -> None:
    labels = {"argosy.net.down": "1mbit", "argosy.net.up": "2mbit", "argosy.net.back.down": "3mbit"}
    asked = bandwidth.labelled(EndpointSettings(), "back", labels)
    assert bandwidth.asked(asked.driver_opts) == Bandwidth(3_000_000, 2_000_000)
    own = EndpointSettings(driver_opts={bandwidth.DOWN: "4mbit", "other": "x"})
    asked = bandwidth.labelled(own, "back", labels)
    assert bandwidth.asked(asked.driver_opts) == Bandwidth(4_000_000, 2_000_000)
    assert (asked.driver_opts or {})["other"] == "x"
    plain = EndpointSettings()
    assert bandwidth.labelled(plain, "back", {"a": "b"}) is plain
    assert bandwidth.labelled(plain, "back", None) is plain


def test_a_change_keeps_the_direction_that_it_does_not_name() -> None:
    before = EndpointSettings(driver_opts={bandwidth.DOWN: "4mbit", bandwidth.UP: "1mbit"}, mac_address="02:00:00:00:00:01")
    after = bandwidth.changed(before, None, "none")
    assert bandwidth.asked(after.driver_opts) == Bandwidth(4_000_000, 0)
    assert after.mac_address == before.mac_address
    with pytest.raises(InvalidParameterError):
        bandwidth.changed(before, "much", None)


@given(st.integers(8_000, 10**12), st.sampled_from([0, 576, 1500, 9000, 65535]))
def test_a_bucket_holds_a_few_packets_and_its_queue_more(rate: int, mtu: int) -> None:
    found = bandwidth.bucket(rate, mtu)
    assert found is not None
    assert found.rate == rate // 8
    assert 4 * max(mtu, 1500) <= found.burst <= 64 << 20
    assert found.burst < found.queue < 2**32


def test_no_limit_is_no_bucket() -> None:
    assert bandwidth.bucket(0, 1500) is None


@pytest.mark.parametrize(
    ("driver", "wanted", "words"),
    [
        ("bridge", Bandwidth(1, 1), ""),
        ("macvlan", Bandwidth(0, 1), ""),
        (
            "macvlan",
            Bandwidth(1, 0),
            "what a container receives on a macvlan network cannot be limited (argosy.net.down); what it sends can",
        ),
        ("host", Bandwidth(1, 0), "bandwidth can be limited only on networks in which the container has a link of its own"),
        ("null", Bandwidth(), ""),
    ],
)
def test_a_network_without_two_ends_says_what_it_cannot(driver: str, wanted: Bandwidth, words: str) -> None:
    assert bandwidth.fault(driver, wanted) == words
