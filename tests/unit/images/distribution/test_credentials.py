import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import InvalidParameterError
from argosy.images.distribution.credentials import ANONYMOUS, Credentials, choose, from_config_header, from_document, from_header

LOGIN = {"username": "ü?>", "password": "p~~~", "serveraddress": "r:5000"}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("strip", ["", "="])
def test_both_alphabets_are_read_with_and_without_padding(encode: object, strip: str) -> None:
    assert callable(encode)
    text = encode(json.dumps(LOGIN).encode()).decode().rstrip(strip)
    assert from_header(text) == Credentials("ü?>", "p~~~", server="r:5000")


@given(st.text())
def test_what_cannot_be_read_is_no_login(text: str) -> None:
    assert isinstance(from_header(text), Credentials)
    from_config_header(text)


def test_a_login_may_be_one_word_in_base64() -> None:
    assert from_document({"auth": base64.b64encode(b"a:b:c").decode()}) == Credentials("a", "b:c")
    with pytest.raises(InvalidParameterError):
        from_document({"auth": "!"})
    with pytest.raises(InvalidParameterError):
        from_document({"username": 1})


def test_a_build_chooses_the_login_of_the_registry() -> None:
    logins = from_config_header(
        base64.b64encode(json.dumps({"https://index.docker.io/v1/": {"username": "hub"}, "r:5000": {"username": "r"}}).encode()).decode()
    )
    assert choose(logins, "docker.io").username == "hub"
    assert choose(logins, "r:5000").username == "r"
    assert choose(logins, "other") == ANONYMOUS
    assert not ANONYMOUS


def test_no_secret_is_shown() -> None:
    assert "secret" not in repr(Credentials("u", "secret", "secret", "secret"))
