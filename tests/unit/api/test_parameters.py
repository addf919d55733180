"""Filters, moments, platforms, and numbers as Go reads them."""

import pytest

from argosy.api.filters import parse_filters
from argosy.api.platforms import parse_platform
from argosy.api.request import to_int
from argosy.api.timestamps import parse_timestamp
from argosy.base.errors import InvalidParameterError

S = 10**9
NOW = 1_700_000_000 * S


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("", 0),
        ("0", 0),
        ("1136073845", 1136073845 * S),
        ("1136073845.000000001", 1136073845 * S + 1),
        ("1136073845.5", 1136073845 * S + S // 2),
        ("2006-01-02T15:04:05Z", 1136214245 * S),
        ("2006-01-02T15:04:05.999999999Z", 1136214245 * S + 999_999_999),
        ("2006-01-02T15:04:05+02:00", (1136214245 - 7200) * S),
        ("2006-01-02T15:04", 1136214240 * S),
        ("2006-01-02", 1136160000 * S),
        ("10m", NOW - 600 * S),
        ("1h30m", NOW - 5400 * S),
    ],
)
def test_a_moment_is_given_in_any_of_dockers_forms(text: str, ns: int) -> None:
    assert parse_timestamp(text, NOW) == ns


@pytest.mark.parametrize("text", ["x", "2006-13-02", "1.2.3", "-"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError):
        parse_timestamp(text, NOW)


def test_filters_come_as_lists_or_as_sets() -> None:
    assert parse_filters('{"label":["a","b"]}') == {"label": ["a", "b"]}
    assert parse_filters('{"label":{"a":true,"b":false}}') == {"label": ["a", "b"]}
    assert parse_filters("") == parse_filters("null") == {}


@pytest.mark.parametrize("text", ["x", "[]", '["a"]', '{"a":3}', '{"a":[1]}', '{"a":"b"}'])
def test_broken_filters_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"\Ainvalid filter\Z"):
        parse_filters(text)


def test_platforms_come_as_json_or_short() -> None:
    assert parse_platform('{"os":"linux","architecture":"arm64","variant":"v8"}') == "linux/arm64/v8"
    assert parse_platform("linux/amd64") == "linux/amd64"
    assert parse_platform("") == ""
    with pytest.raises(InvalidParameterError):
        parse_platform('{"os":"linux"}')


def test_integers_are_read_as_atoi_reads_them() -> None:
    assert (to_int("-5"), to_int("+7"), to_int("007")) == (-5, 7, 7)
    for wrong in ("", "x", "1.5", "1_0", "٣", " 1"):
        with pytest.raises(InvalidParameterError, match="invalid syntax"):
            to_int(wrong)
    with pytest.raises(InvalidParameterError, match="out of range"):
        to_int("9" * 30)
