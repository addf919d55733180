"""Who may pull: passwords, tokens, logins, limits."""

import base64
import json

import pytest

from argosy.base.errors import NotFoundError, SystemFailureError, TooManyRequestsError, UnauthorizedError
from fakes.registry import layer
from suites.image_host import QUICK, Host

pytestmark = pytest.mark.root


@pytest.fixture
async def host(tmp_path):
    (tmp_path / "host").mkdir()
    host = await Host(tmp_path / "host", registries=QUICK).start()
    yield host
    await host.stop()


def header(name, password):
    return base64.b64encode(json.dumps({"username": name, "password": password}).encode()).decode()


async def test_basic_authentication(host, registry):
    registry.add_image("a", "1", [layer("x")])
    registry.users = {"u": "p"}
    with pytest.raises(SystemFailureError, match=r'^Head ".*/v2/a/manifests/1": no basic auth credentials$'):
        await host.pull(f"{registry.host}/a", "1")
    with pytest.raises(UnauthorizedError, match=r"^unauthorized: authentication required$"):
        await host.pull(f"{registry.host}/a", "1", auth=header("u", "wrong"))
    await host.pull(f"{registry.host}/a", "1", auth=header("u", "p"))


async def test_tokens_are_fetched_once_and_again_when_they_are_refused(host, registry):
    registry.add_image("a", "1", [layer("x"), layer("y")])
    registry.add_image("private", "1", [layer("x")])
    registry.users, registry.realm, registry.public = {"u": "p"}, f"http://{registry.host}/token", {"a"}
    await host.pull(f"{registry.host}/a", "1")
    assert registry.issued == 1
    registry.expired = {one.removeprefix("Bearer ") for one in registry.authorizations}
    await host.pull(f"{registry.host}/a", "1")
    assert registry.issued == 2
    words = (
        f"^pull access denied for {registry.host}/private, repository does not exist or may require 'docker login': "
        "denied: requested access to the resource is denied$"
    )
    with pytest.raises(NotFoundError, match=words):
        await host.pull(f"{registry.host}/private", "1")
    await host.pull(f"{registry.host}/private", "1", auth=header("u", "p"))
    token = base64.b64encode(json.dumps({"identitytoken": "refresh-u"}).encode()).decode()
    await host.pull(f"{registry.host}/private", "1", auth=token)
    assert registry.count("POST", "/token") == 1


async def test_logins(host, registry):
    registry.users = {"u": "p"}
    login = host.images.registries.login
    where = {"username": "u", "serveraddress": f"http://{registry.host}"}
    assert await login({**where, "password": "p"}) == {"Status": "Login Succeeded", "IdentityToken": ""}
    with pytest.raises(UnauthorizedError, match=f"^login attempt to http://{registry.host}/v2/ failed with status: 401 Unauthorized$"):
        await login({**where, "password": "x"})
    registry.realm = f"http://{registry.host}/token"
    assert (await login({**where, "password": "p"}))["IdentityToken"] == "refresh-u"
    with pytest.raises(UnauthorizedError, match=r'^Get ".*/v2/": unauthorized: incorrect username or password$'):
        await login({**where, "password": "x"})


async def test_a_rate_limit_is_explained(host, registry):
    registry.add_image("a", "1", [layer("x")])
    registry.statuses["manifests/1"] = [429, 429]
    registry.headers = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}
    words = r"^toomanyrequests: as told \(limit: 100 in 6 hours; left: 0 in 6 hours; a login raises the limit: docker login\)$"
    with pytest.raises(TooManyRequestsError, match=words):
        await host.pull(f"{registry.host}/a", "1")
    assert registry.count("GET", "manifests") == 1
