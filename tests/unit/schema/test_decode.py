"""The lenient decoder; the messages are those of a Docker 28.5 built with Go 1.27."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import InvalidParameterError
from argosy.schema import decode, decode_with_fields
from argosy.schema.containers import CreateBody, UpdateBody
from argosy.schema.networks import NetworkBody


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "invalid JSON: got EOF while reading request body"),
        (b'{"Image":', "invalid JSON: unexpected EOF"),
        (b'{"Image":"nope"', "invalid JSON: unexpected EOF"),
        (b"xx", "invalid JSON: invalid character 'x' looking for beginning of value"),
        (b'{"Image":"nope"} x', "unexpected content after JSON"),
        (b"[1]", "invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest"),
        (b'{"Image": 1}', "invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string"),
        (b'{"Tty":"true"}', "invalid JSON: json: cannot unmarshal string into Go struct field .Tty of type bool"),
        (b'{"Env":"x"}', "invalid JSON: json: cannot unmarshal string into Go struct field .Env of type []string"),
        (b'{"Env":[1]}', "invalid JSON: json: cannot unmarshal number into .Env.0 of type string"),
        (b'{"Labels":["a"]}', "invalid JSON: json: cannot unmarshal array into Go struct field .Labels of type map[string]string"),
        (b'{"StopTimeout":"3"}', "invalid JSON: json: cannot unmarshal string into Go struct field .StopTimeout of type int"),
        (b'{"HostConfig":[]}', "invalid JSON: json: cannot unmarshal array into Go struct field .HostConfig of type container.HostConfig"),
        (
            b'{"HostConfig":{"Memory":1.5}}',
            "invalid JSON: json: cannot unmarshal number 1.5 into Go struct field .HostConfig.Memory of type int64",
        ),
        (
            b'{"HostConfig":{"ConsoleSize":[-1,2]}}',
            "invalid JSON: json: cannot unmarshal number -1 into .HostConfig.ConsoleSize.0 of type uint",
        ),
        (
            b'{"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":8080}]}}}',
            "invalid JSON: json: cannot unmarshal number into Go struct field .HostConfig.PortBindings.80~1tcp.0.HostPort of type string",
        ),
        (
            b'{"NetworkingConfig":{"EndpointsConfig":{"a":3}}}',
            "invalid JSON: json: cannot unmarshal number into Go struct field "
            ".NetworkingConfig.EndpointsConfig.a of type network.EndpointSettings",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_dockers_words(body: bytes, message: str) -> None:
    with pytest.raises(InvalidParameterError) as error:
        decode(CreateBody, body)
    assert str(error.value) == message


def test_keys_match_without_regard_to_case_and_unknown_ones_are_ignored() -> None:
    body = decode(CreateBody, b'{"image":"a","HOSTCONFIG":{"memory":5},"Whatever":{"x":[]}}')
    assert body.image == "a"
    assert body.host_config is not None
    assert body.host_config.memory == 5


def test_null_means_not_given_wherever_it_stands() -> None:
    body = decode(
        CreateBody,
        b'{"Image":null,"Env":null,"Labels":{"a":null},"HostConfig":{"Memory":null,"PortBindings":{"80/tcp":null},"Binds":[null]},'
        b'"NetworkingConfig":{"EndpointsConfig":{"net":null}}}',
    )
    assert (body.image, body.env, body.labels) == ("", None, {"a": ""})
    assert body.host_config is not None
    assert body.host_config.memory == 0
    assert body.host_config.port_bindings == {"80/tcp": None}
    assert body.host_config.binds == ("",)
    assert body.networking_config is not None
    assert body.networking_config.endpoints_config is not None
    assert body.networking_config.endpoints_config["net"].aliases is None


def test_a_command_may_be_one_string() -> None:
    body = decode(CreateBody, b'{"Cmd":"ls","Entrypoint":["a","b"],"HostConfig":{"CapAdd":"NET_ADMIN"}}')
    assert (body.cmd, body.entrypoint) == (("ls",), ("a", "b"))
    assert body.host_config is not None
    assert body.host_config.cap_add == ("NET_ADMIN",)


def test_an_array_of_fixed_length_takes_what_fits_and_zeroes_the_rest() -> None:
    for text, size in ((b"[1,2,3]", (1, 2)), (b"[1]", (1, 0))):
        host = decode(CreateBody, b'{"HostConfig":{"ConsoleSize":' + text + b"}}").host_config
        assert host is not None
        assert host.console_size == size


def test_the_fields_that_were_sent_are_told() -> None:
    _, sent = decode_with_fields(UpdateBody, b'{"Memory":0,"CpuShares":null,"RestartPolicy":{"Name":"always"}}')
    assert sent == {"memory", "restart_policy"}


def test_a_network_is_ipv4_unless_told_otherwise() -> None:
    assert decode(NetworkBody, b'{"Name":"n","IPAM":{"Config":[{"Subnet":"10.0.0.0/8"}]}}').enable_ipv4
    assert not decode(NetworkBody, b'{"Name":"n","EnableIPv4":false}').enable_ipv4


@given(st.binary(max_size=200))
def test_no_body_does_more_than_be_refused(body: bytes) -> None:
    try:
        decode(CreateBody, body)
    except InvalidParameterError:
        pass


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Image", "HostConfig", "Mounts", "Cmd", "x"]), inner),
)


@given(_values)
def test_no_value_does_more_than_be_refused(value: object) -> None:
    import msgspec

    try:
        decode(CreateBody, msgspec.json.encode(value))
    except InvalidParameterError:
        pass


def test_null_in_a_list_of_lists_is_an_empty_list() -> None:
    body = decode(CreateBody, b'{"HostConfig":{"DeviceRequests":[{"Capabilities":[null,["gpu"]]}]}}')
    assert body.host_config and body.host_config.device_requests
    assert body.host_config.device_requests[0].capabilities == ((), ("gpu",))


@pytest.mark.parametrize(
    "body",
    [b'{"Image":"a\\u0000"}', b'{"Cmd":["a\\u0000"]}', b'{"Cmd":"\\u0000"}', b'{"Env":["\\u0000"]}', b'{"Volumes":{"/\\u0000":{}}}'],
)
def test_no_text_holds_a_nul(body: bytes) -> None:
    with pytest.raises(InvalidParameterError, match=r"^invalid JSON: \..* holds a NUL character$"):
        decode(CreateBody, body)
