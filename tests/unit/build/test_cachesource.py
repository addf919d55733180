import pytest

from argosy.base.errors import InvalidParameterError
from argosy.build.cachesource import CacheSource, parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("app:1", CacheSource("app:1")),
        ("host:5000/app", CacheSource("host:5000/app")),
        ("type=registry,ref=host/app:1", CacheSource("host/app:1", plain=False, fetched=True)),
        ("ref=app,type=image", CacheSource("app", plain=False)),
    ],
)
def test_what_is_named(text, found):
    assert parse(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type=gha,scope=x", "cache of type gha is not supported: use an image's name"),
        ("ref=x", "cache of type \\(none\\) is not supported"),
        ("type=registry", "names no image: add ref=NAME"),
        ("type=local,src=/x", "a directory lies with the client"),
    ],
)
def test_what_is_not_served_says_what_is(text, words):
    with pytest.raises(InvalidParameterError, match=words):
        parse(text)
