import pytest

from argosy.images.distribution.proxies import Proxies, find
from argosy.images.distribution.settings import RegistrySettings


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("", "https://a.example/v2/", False),
        ("a.example", "https://a.example/v2/", True),
        ("example", "https://a.example/v2/", True),
        (".example", "https://a.example/v2/", True),
        (".a.example", "https://a.example/v2/", False),
        ("*.example", "https://a.example/v2/", True),
        ("ample", "https://a.example/v2/", False),
        ("a.example:443", "https://a.example/v2/", True),
        ("a.example:444", "https://a.example/v2/", False),
        ("10.0.0.0/8, other", "https://10.1.2.3:5000/v2/", True),
        ("10.1.2.3", "https://10.1.2.3:5000/v2/", True),
        ("*", "https://a.example/v2/", True),
        ("", "https://localhost:5000/v2/", True),
        ("", "http://127.0.0.1:5000/v2/", True),
    ],
)
def test_what_is_reached_directly(no_proxy: str, url: str, direct: bool) -> None:
    assert (Proxies("http://p:1", "http://p:2", no_proxy).choose(url) is None) == direct


def test_each_scheme_has_its_proxy_and_the_configuration_wins() -> None:
    proxies = find(RegistrySettings(https_proxy="conf:2"), {"HTTP_PROXY": "http://env:1", "https_proxy": "http://env:2"})
    assert proxies.choose("http://a/") == "http://env:1"
    assert proxies.choose("https://a/") == "http://conf:2"
