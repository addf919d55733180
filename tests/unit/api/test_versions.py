import pytest

from argosy.api.versions import NEWEST, meant, shape, split
from argosy.base.errors import InvalidParameterError


@pytest.mark.parametrize(
    ("path", "version", "rest"),
    [
        ("/info", NEWEST, "/info"),
        ("/v1.41/info", 41, "/info"),
        ("/v1.55/info", 55, "/info"),
        ("/v1.22/info", 24, "/info"),
        ("/v1.12/info", 24, "/info"),
        ("/v1.41.1/_ping", 41, "/_ping"),
        ("/v1.044/_ping", 44, "/_ping"),
        ("/v1.41", 41, ""),
        ("/version", NEWEST, "/version"),
        ("/volumes/v1.41", NEWEST, "/volumes/v1.41"),
    ],
)
def test_the_prefix_is_taken_off(path: str, version: int, rest: str) -> None:
    assert split(path) == (version, rest)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1.99/info", "client version 1.99 is too new. Maximum supported API version is 1.55"),
        ("/v2.0/info", "client version 2.0 is too new. Maximum supported API version is 1.55"),
        (
            "/v1.5/info",
            "client version 1.5 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
        ),
        ("/v1/_ping", "client version 1 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version"),
    ],
)
def test_other_versions_are_refused_in_dockers_words(path: str, message: str) -> None:
    with pytest.raises(InvalidParameterError) as error:
        split(path)
    assert str(error.value) == message


def test_versions_between_two_changes_share_their_shape() -> None:
    assert shape(25) == shape(29)
    assert shape(41) != shape(42)
    assert shape(54) == shape(55)


def test_docker_py_means_an_older_version_than_the_newest_that_it_asks_for() -> None:
    assert meant(NEWEST, "docker-sdk-python/7.1.0") == 51
    assert meant(41, "docker-sdk-python/7.1.0") == 41
    assert meant(NEWEST, "docker-sdk-python/7.2.0") == meant(NEWEST, "Docker-Client/29.0.0 (linux)") == NEWEST
