from hypothesis import given
from hypothesis import strategies as st

from argosy.images.distribution.challenge import best, parse


def test_a_bearer_challenge() -> None:
    (found,) = parse(['Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error=x'])
    assert (found.scheme, found.get("realm"), found.get("scope"), found.get("error"), found.get("no")) == (
        "bearer",
        "https://auth.docker.io/token",
        "repository:a/b:pull,push",
        "x",
        "",
    )


def test_several_challenges_in_one_or_more_fields() -> None:
    for values in (['Basic realm="a \\"b\\"", Bearer realm="c"'], ['Basic realm="a \\"b\\""', 'Bearer realm="c"']):
        assert [(one.scheme, one.get("realm")) for one in parse(values)] == [("basic", 'a "b"'), ("bearer", "c")]
        found = best(parse(values))
        assert found is not None and found.scheme == "bearer"
    assert best(parse(["Digest x=y"])) is None


@given(st.lists(st.text()))
def test_nothing_breaks_it(values: list[str]) -> None:
    best(parse(values))
