import pytest

from argosy.images.distribution.endpoints import Endpoint, for_pull, for_push, is_insecure
from argosy.images.distribution.settings import RegistrySettings


def test_the_hub_is_reached_by_its_registrys_name() -> None:
    assert for_push("docker.io", RegistrySettings()) == (Endpoint("https://registry-1.docker.io"),)


def test_mirrors_come_before_the_registry_and_are_not_pushed_to() -> None:
    settings = RegistrySettings(mirrors={"docker.io": ("https://m/",), "quay.io": ("http://127.0.0.1:5/cache", "other:5000")})
    assert [endpoint.url for endpoint in for_pull("docker.io", settings)] == ["https://m", "https://registry-1.docker.io"]
    assert [endpoint.url for endpoint in for_pull("quay.io", settings)] == [
        "http://127.0.0.1:5/cache",
        "https://other:5000",
        "https://quay.io",
    ]
    assert [endpoint.mirror for endpoint in for_pull("quay.io", settings)] == [True, True, False]
    assert [endpoint.url for endpoint in for_push("quay.io", settings)] == ["https://quay.io"]


def test_an_insecure_registry_is_tried_with_tls_first() -> None:
    assert for_push("localhost:5000", RegistrySettings()) == (
        Endpoint("https://localhost:5000", verify=False),
        Endpoint("http://localhost:5000", verify=False),
    )


@pytest.mark.parametrize(
    ("host", "insecure", "answer"),
    [
        ("127.0.0.1:5000", (), True),
        ("127.9.9.9", (), True),
        ("[::1]:5000", (), True),
        ("localhost", (), True),
        ("10.1.2.3:5000", (), False),
        ("10.1.2.3:5000", ("10.0.0.0/8",), True),
        ("registry.lan:5000", ("registry.lan:5000",), True),
        ("registry.lan:5001", ("registry.lan:5000",), False),
        ("registry.lan:5001", ("registry.lan",), True),
        ("registry.lan", ("10.0.0.0/8", "nonsense/x"), False),
    ],
)
def test_which_registries_are_insecure(host: str, insecure: tuple[str, ...], answer: bool) -> None:
    assert is_insecure(host, insecure) == answer
