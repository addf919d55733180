import pytest

from argosy.base.errors import InvalidParameterError
from argosy.images.listing import flag, labels_match, reference_matches, until
from argosy.images.record import nanoseconds
from argosy.images.remove import is_id_prefix, is_single
from argosy.oci.reference import parse

DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("name", "pattern", "matches"),
    [
        ("busybox:latest", "busybox", True),
        ("busybox:latest", "busy*", True),
        ("busybox:latest", "busybox:l*", True),
        ("busybox:latest", "*", True),
        ("user/app:1", "*", False),
        ("user/app:1", "*/*", True),
        ("user/app:1", "user/a?p", True),
        ("user/app:1", "other", False),
        ("host:5000/a:1", "host:5000/*", True),
        ("busybox:1", "b[a-u]*", True),
    ],
)
def test_patterns_match_as_gos_do(name, pattern, matches):
    assert reference_matches(parse(name), pattern) is matches


def test_until_takes_moments_and_ages():
    now = 1_700_000_000 * 10**9
    assert until({}, now) is None
    assert until({"until": ["10m"]}, now) == now - 600 * 10**9
    assert until({"until": ["1600000000"]}, now) == 1_600_000_000 * 10**9
    assert until({"until": ["2020-09-13T12:26:40Z"]}, now) == 1_600_000_000 * 10**9
    for bad in (["x"], ["1h", "2h"]):
        with pytest.raises(InvalidParameterError):
            until({"until": bad}, now)


def test_flags_are_one_or_the_other():
    assert flag({}, "dangling", True)
    assert flag({"dangling": ["1"]}, "dangling", False)
    assert not flag({"dangling": ["FALSE"]}, "dangling", True)
    with pytest.raises(InvalidParameterError, match=r"invalid filter 'dangling=\[true false\]'"):
        flag({"dangling": ["true", "false"]}, "dangling", True)


def test_labels():
    labels = {"a": "1", "b": ""}
    assert labels_match(labels, ["a", "b="])
    assert not labels_match(labels, ["a=2"])
    assert not labels_match(labels, ["c"])


def test_single_references_are_dockers():
    def single(*names):
        return is_single([parse(name) for name in names])

    assert not single()
    assert single("a:1")
    assert not single("a:1", "a:2")
    assert single("a:1", "a" + DIGEST)
    assert not single("a:1", "b" + DIGEST)


def test_id_prefixes():
    image = "sha256:" + "ab" * 32
    assert all(is_id_prefix(image, text) for text in (image, "ab", "abab", "sha256:ab"))
    assert not any(is_id_prefix(image, text) for text in ("", "ac", "ab" * 33))


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("2024-01-02T03:04:05.123456789Z", 1_704_164_645_123_456_789),
        ("2024-01-02T03:04:05+01:00", 1_704_161_045 * 10**9),
        ("0001-01-01T00:00:00Z", 0),
        ("", 0),
        (None, 0),
        ("yesterday", 0),
    ],
)
def test_times_of_configurations(text, ns):
    assert nanoseconds(text) == ns
