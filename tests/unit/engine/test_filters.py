"""Filters: kinds of match, and moments as clients write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import InvalidParameterError
from argosy.engine import filters as match

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def test_unknown_filters_are_refused_in_dockers_words():
    match.accept({"label": ["x"]}, {"label"})
    with pytest.raises(InvalidParameterError, match=r"^invalid filter 'x'$"):
        match.accept({"x": []}, {"label"})


def test_absent_filters_match_everything():
    assert match.exact({}, "a", "x") and match.prefix({}, "a", "x") and match.pattern({}, "a", "x")
    assert match.labels({}, None) and match.without_labels({}, None)


def test_values_of_one_key_are_alternatives():
    assert match.exact({"a": ["x", "y"]}, "a", "y")
    assert not match.exact({"a": ["x", "y"]}, "a", "z")
    assert match.prefix({"a": ["x", "ab"]}, "a", "abc")
    assert not match.prefix({"a": ["bc"]}, "a", "abc")


def test_patterns_are_regular_expressions_or_else_plain_text():
    assert match.pattern({"name": ["^w.b$"]}, "name", "web")
    assert not match.pattern({"name": ["^b"]}, "name", "web")
    assert match.pattern({"name": ["("]}, "name", "(")
    assert not match.pattern({"name": ["("]}, "name", "a(")


def test_all_labels_must_be_carried():
    carried = {"a": "1", "b": "x=y"}
    assert match.labels({"label": ["a", "b=x=y"]}, carried)
    assert not match.labels({"label": ["a", "c"]}, carried)
    assert not match.labels({"label": ["a=2"]}, carried)


def test_label_not_keeps_what_carries_it():
    assert not match.without_labels({"label!": ["keep"]}, {"keep": ""})
    assert match.without_labels({"label!": ["keep"]}, {"other": ""})
    assert match.without_labels({"label!": ["keep=1"]}, {"keep": "2"})


@pytest.mark.parametrize(("values", "result"), [(["true"], True), (["1"], True), (["false"], False), (["0", "F"], False), ([], None)])
def test_flags(values, result):
    assert match.flag({"dangling": values}, "dangling") is result


@pytest.mark.parametrize(("values", "words"), [(["x"], "[x]"), (["true", "false"], "[false true]")])
def test_a_wrong_flag_is_refused(values, words):
    with pytest.raises(InvalidParameterError) as error:
        match.flag({"is-task": values}, "is-task")
    assert str(error.value) == f"invalid filter 'is-task={words}'"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1700000000", 1_700_000_000 * SECOND),
        ("1700000000.5", 1_700_000_000 * SECOND + SECOND // 2),
        ("1700000000.123456789", 1_700_000_000_123_456_789),
        ("10m", NOW - 600 * SECOND),
        ("1h30m", NOW - 5400 * SECOND),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T22:13:20.000000001Z", NOW + 1),
        ("2023-11-15T00:13:20+02:00", NOW),
        ("2023-11-14T22:13:20-00:00", NOW),
    ],
)
def test_moments(text, moment):
    assert match.moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["2023-11-14", "2023-11-14T22", "2023-11-14T22:13", "2023-11-14T22:13:20"])
def test_moments_without_a_zone_are_local_time(text):
    full = text + "T00:00:00"[len(text) - 10 :] if len(text) > 10 else text + "T00:00:00"
    expected = datetime.fromisoformat(full).astimezone(UTC)
    assert match.moment(text, NOW) == int(expected.timestamp()) * SECOND


@pytest.mark.parametrize("text", ["x", "", "2023-13-01", "10 minutes", "2023-11-14T25:00"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(InvalidParameterError) as error:
        match.moment(text, NOW)
    assert str(error.value) == f'failed to parse value as time or duration: "{text}"'


@given(st.text(max_size=30))
def test_moment_never_fails_otherwise(text):
    try:
        match.moment(text, NOW)
    except InvalidParameterError:
        pass


def test_more_than_one_until_is_refused():
    with pytest.raises(InvalidParameterError, match="more than one until filter specified"):
        match.until({"until": ["1h", "2h"]}, NOW)
    assert match.until({"until": ["1h"]}, NOW) == NOW - 3600 * SECOND
    assert match.until({}, NOW) is None
