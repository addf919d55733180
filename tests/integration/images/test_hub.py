"""Docker Hub by its names over TLS, mirrors, and which certificates are trusted: a stand-in whose names a resolver leads to loopback."""

import asyncio
import socket
import ssl
from dataclasses import replace

import pytest
import trustme
from aiohttp.abc import AbstractResolver

from argosy.base.errors import ArgosyError, InvalidParameterError, SystemFailureError
from argosy.images.distribution.settings import Timeouts
from fakes.registry import Registry, digest_of, layer
from suites.image_host import QUICK, Host, statuses

pytestmark = pytest.mark.root

NAMES = ("registry-1.docker.io", "auth.docker.io", "index.docker.io", "quay.example")


class Loopback(AbstractResolver):
    """Every name is this port of loopback."""

    def __init__(self, port):
        self.port = port

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [{"hostname": host, "host": "127.0.0.1", "port": self.port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self):
        pass


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def certificates(tmp_path, authority):
    for name in NAMES:
        (tmp_path / "certs.d" / name).mkdir(parents=True)
        authority.cert_pem.write_to_path(str(tmp_path / "certs.d" / name / "ca.crt"))
    return tmp_path / "certs.d"


@pytest.fixture
def hub(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*NAMES).configure_cert(context)
    with Registry().serving(context) as made:
        made.users, made.realm = {"u": "p"}, "https://auth.docker.io/token"
        made.public = {"library/nginx"}
        yield made


async def host_of(tmp_path, hub, certificates, **settings):
    (tmp_path / "host").mkdir(exist_ok=True)
    chosen = replace(QUICK, certificates=(str(certificates),), **settings)
    return await Host(tmp_path / "host", registries=chosen, resolver=lambda: Loopback(hub.port)).start()


@pytest.fixture
async def host(tmp_path, hub, certificates):
    host = await host_of(tmp_path, hub, certificates)
    yield host
    await host.stop()


async def test_a_bare_name_is_the_hubs_with_a_token_of_its_realm(host, hub):
    digest = hub.add_image("library/nginx", "latest", [layer("x")])
    messages = await host.pull("nginx", "latest")
    assert messages[0] == {"status": "Pulling from library/nginx", "id": "latest"}
    assert statuses(messages)[-1] == "Status: Downloaded newer image for nginx:latest"
    assert (await host.images.inspect("nginx")).repo_digests == (f"nginx@{digest}",)
    assert hub.count("GET", "^/token.*library%2Fnginx%3Apull") == 1


async def test_what_the_hub_denies_may_need_a_login(host, hub):
    words = (
        "^pull access denied for nobody/x, repository does not exist or may require 'docker login': "
        "denied: requested access to the resource is denied$"
    )
    with pytest.raises(ArgosyError, match=words):
        await host.pull("nobody/x", "latest")


async def test_a_search_asks_the_hubs_index(host, hub):
    hub.found = [
        {"name": "nginx", "description": "d", "star_count": 9, "is_official": True},
        {"name": "x/nginx", "description": "", "star_count": 1, "is_official": False, "is_automated": False},
    ]
    search = host.images.registries.search
    found = await search("library/nginx", limit=None, filters={}, auth="")
    assert [one["name"] for one in found] == ["nginx", "x/nginx"]
    assert hub.asked[-1] == ("GET", "/v1/search?q=nginx&n=25")
    assert len(await search("nginx", limit=5, filters={"stars": ["3"], "is-official": ["true"]}, auth="")) == 1
    with pytest.raises(InvalidParameterError, match=r"limit 101 is outside the range of \[1, 100\]"):
        await search("nginx", limit=101, filters={}, auth="")


async def test_distribution_tells_descriptor_and_platforms(host, hub):
    digest = hub.add_image("library/nginx", "latest", [layer("x")], architecture="arm64", variant="v8")
    found = await host.images.registries.distribution("nginx", auth="")
    assert found["Descriptor"]["digest"] == digest
    assert found["Platforms"] == [{"architecture": "arm64", "os": "linux", "variant": "v8"}]


async def test_an_unknown_authority_is_refused_in_dockers_words(host, hub, certificates):
    (certificates / "registry-1.docker.io" / "ca.crt").unlink()
    words = '^Get "https://registry-1.docker.io/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority$'
    with pytest.raises(SystemFailureError, match=words):
        await host.pull("nginx", "latest")


class Silent(AbstractResolver):
    async def resolve(self, host, port=0, family=socket.AF_INET):
        await asyncio.Event().wait()

    async def close(self):
        pass


async def test_a_name_server_that_does_not_answer_is_given_up(tmp_path, hub, certificates):
    (tmp_path / "host").mkdir()
    settings = replace(QUICK, timeouts=Timeouts(connect=0.05))
    host = await Host(tmp_path / "host", registries=settings, resolver=Silent).start()
    with pytest.raises(
        SystemFailureError, match=r'^Get "https://registry-1.docker.io/v2/": dial tcp registry-1.docker.io:443: i/o timeout$'
    ):
        await host.pull("nginx", "latest")
    await host.stop()


async def test_an_insecure_registry_needs_no_authority(tmp_path, hub, certificates):
    hub.users = {}
    hub.add_image("a", "1", [layer("x")])
    (certificates / "quay.example" / "ca.crt").unlink()
    host = await host_of(tmp_path, hub, certificates, insecure=("quay.example",))
    await host.pull("quay.example/a", "1")
    await host.stop()


async def test_a_client_certificate_is_shown(tmp_path, hub, certificates, authority):
    own = authority.issue_cert("client@example.org")
    folder = certificates / "registry-1.docker.io"
    own.cert_chain_pems[0].write_to_path(str(folder / "client.cert"))
    host = await host_of(tmp_path, hub, certificates)
    with pytest.raises(SystemFailureError, match=r"missing key client\.key for client certificate client\.cert"):
        await host.pull("nginx", "latest")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*NAMES).configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    own.private_key_pem.write_to_path(str(folder / "client.key"))
    with Registry().serving(context) as strict:
        strict.add_image("library/nginx", "latest", [layer("x")])
        host.resolver = lambda: Loopback(strict.port)
        await host.restart()
        await host.pull("nginx", "latest")
    await host.stop()


async def test_a_mirror_is_asked_first_and_the_registry_when_it_has_it_not(tmp_path, hub, certificates):
    with Registry().serving() as mirror:
        one = layer("x")
        mirror.add_image("library/nginx", "1", [one])
        hub.add_image("library/nginx", "2", [layer("y")])
        host = await host_of(tmp_path, hub, certificates, mirrors={"docker.io": (f"http://{mirror.host}",)})
        await host.pull("nginx", "1")
        assert hub.asked == []
        await host.pull("nginx", "2")
        assert mirror.count("GET", "/v2/library/nginx/manifests/2") == 1
        assert all(not said for said in mirror.authorizations)
        await host.stop()
        assert digest_of(one[1]) in mirror.served


async def test_a_mirror_that_is_down_does_not_matter_and_any_registry_may_have_one(tmp_path, hub, certificates):
    hub.users = {}
    hub.add_image("team/a", "1", [layer("x")])
    host = await host_of(tmp_path, hub, certificates, mirrors={"quay.example": ("http://127.0.0.1:1",)})
    await host.pull("quay.example/team/a", "1")
    await host.stop()


async def test_blobs_from_another_host_come_without_our_token(tmp_path, host, hub):
    with Registry().serving() as store:
        hub.add_image("library/nginx", "latest", [layer("x")])
        store.blobs, store.holds = hub.blobs, hub.holds
        hub.elsewhere = f"http://{store.host}"
        await host.pull("nginx", "latest")
        assert store.asked and not any(store.authorizations)


async def test_a_proxy_gets_what_is_not_excluded(tmp_path, hub, certificates):
    hub.port = 1  # where nobody listens
    with Registry().serving() as proxy:
        names = ("plain.example", "direct.example")
        host = await host_of(tmp_path, hub, certificates, insecure=names, http_proxy=f"http://{proxy.host}", no_proxy="direct.example")
        for name in names:
            with pytest.raises(ArgosyError):
                await host.pull(f"{name}/a", "1")
        assert {path.split("/v2/")[0] for _, path in proxy.asked} == {"http://plain.example"}
        await host.stop()


def test_no_message_shows_a_secret():
    from argosy.images.distribution.credentials import Credentials
    from argosy.images.distribution.tokens import Token

    shown = repr(Credentials("u", "secret", "secret", "secret")) + repr(Token("secret", 0, "secret"))
    assert "secret" not in shown
