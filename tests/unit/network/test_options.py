"""Driver options in Docker's words."""

import pytest

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.network.drivers.options import bridge_options


def test_defaults_and_unknown_keys() -> None:
    options = bridge_options({"com.docker.network.bridge.foo": "1"})
    assert (options.icc, options.masquerade, options.mtu, options.container_prefix) == (True, True, 0, "eth")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (
            "bridge.enable_icc",
            "abc",
            r'failed to parse com.docker.network.bridge.enable_icc value: abc \(strconv.ParseBool: parsing "abc": invalid syntax\)',
        ),
        ("driver.mtu", "abc", r'failed to parse com.docker.network.driver.mtu value: abc \(strconv.Atoi: parsing "abc": invalid syntax\)'),
        ("driver.mtu", "-1", "invalid MTU number: -1"),
        ("bridge.gateway_mode_ipv4", "x", "unknown gateway mode x"),
        ("bridge.name", "a/b", "invalid bridge name: a/b"),
    ],
)
def test_bad_values(key: str, value: str, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        bridge_options({f"com.docker.network.{key}": value})


def test_a_bridge_name_that_the_kernel_cannot_have() -> None:
    with pytest.raises(SystemFailureError, match="numerical result out of range"):
        bridge_options({"com.docker.network.bridge.name": "waytoolongbridgename"})
