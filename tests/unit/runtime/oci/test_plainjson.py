import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.oci.plainjson import dumps, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 2]))
def test_what_is_written_is_read_by_anybody(value: Any, indent: int | None) -> None:
    assert json.loads(dumps(value, indent)) == value


@given(VALUES)
def test_what_anybody_writes_is_read(value: Any) -> None:
    assert loads(" " + json.dumps(value, indent=1) + "\n") == value


@given(st.text(max_size=20))
def test_what_is_not_json_is_refused_alike(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            loads(text)
    else:
        assert repr(loads(text)) == repr(expected)
