import pytest

from argosy.base.errors import InvalidParameterError
from argosy.oci import digest


def test_digests_of_both_algorithms():
    assert digest.of(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest.split(digest.of(b"", "sha512"))[0] == "sha512"
    assert digest.is_digest(digest.of(b"x"))
    assert not digest.is_digest("sha256:00")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("abc", "invalid checksum digest format"),
        ("md5:00", "unsupported digest algorithm"),
        ("sha256:00", "invalid checksum digest length"),
        ("sha256:" + "G" * 64, "invalid checksum digest format"),
        ("sha256:" + "A" * 64, "invalid checksum digest format"),
        ("sha256:" + "../" * 21 + "x", "invalid checksum digest format"),
    ],
)
def test_malformed_digests_are_refused(text, words):
    with pytest.raises(InvalidParameterError) as caught:
        digest.split(text)
    assert str(caught.value) == words
