"""Pull, push, login, search and distribution over HTTP."""

import pytest

from argosy.base.errors import SystemFailureError
from fakes.server import Api


async def test_a_pull_passes_tag_platform_and_login(api: Api) -> None:
    client = await api.connect()
    client.send("POST", "/images/create?fromImage=busybox&tag=1&platform=linux/arm64", headers={"X-Registry-Auth": "e30="})
    reply = await client.reply()
    assert (reply.status, len(reply.body.splitlines())) == (200, 2)
    assert api.registries.calls == [("pull", "busybox", "1", "linux/arm64", "e30=")]
    await client.close()


async def test_a_pull_that_fails_before_its_first_message_has_a_status(api: Api) -> None:
    reply = await api.ask("POST", "/images/create?fromImage=x")
    assert (reply.status, reply.message) == (404, "pull access denied for x")


@pytest.mark.parametrize("act", ["create?fromImage=counted", "counted/push?tag=1"])
async def test_a_registry_that_counts_requests_is_named_as_the_reason(api: Api, act: str) -> None:
    reply = await api.ask("POST", f"/images/{act}")
    assert reply.status == 429
    assert reply.message == "toomanyrequests: You have reached your pull rate limit (limit: 100 in 6 hours)"


async def test_a_pull_that_fails_later_ends_with_a_message(api: Api) -> None:
    api.registries.failure = SystemFailureError("unexpected EOF")
    reply = await api.ask("POST", "/images/create?fromImage=busybox")
    assert reply.status == 200
    assert reply.body.splitlines()[-1] == b'{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}'


async def test_an_image_from_nowhere_is_refused(api: Api) -> None:
    assert (await api.ask("POST", "/images/create")).status == 400


async def test_a_push_passes_name_and_tag(api: Api) -> None:
    reply = await api.ask("POST", "/images/busybox/push?tag=1")
    assert reply.status == 200
    assert api.registries.calls == [("push", "busybox", "1", "", "")]


async def test_a_login_passes_what_was_said(api: Api) -> None:
    reply = await api.ask("POST", "/auth", {"username": "a", "password": "b", "serveraddress": "r:5000"})
    assert (reply.status, reply.json()["Status"]) == (200, "Login Succeeded")
    assert api.registries.calls == [("login", {"username": "a", "password": "b", "serveraddress": "r:5000"})]


@pytest.mark.parametrize("body", [b"x", b"[]"])
async def test_a_login_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    client = await api.connect()
    client.send("POST", "/auth", body, headers={"Content-Type": "application/json"})
    assert (await client.reply()).status == 400
    await client.close()


async def test_a_search_passes_limit_and_filters(api: Api) -> None:
    reply = await api.ask("GET", '/images/search?term=x&limit=3&filters={"stars":["3"]}')
    assert reply.json()[0]["name"] == "x"
    assert api.registries.calls == [("search", "x", 3, {"stars": ["3"]}, "")]


async def test_distribution_answers_for_names_with_slashes(api: Api) -> None:
    assert (await api.ask("GET", "/distribution/r:5000/a/b:1/json")).status == 200
    assert api.registries.calls == [("distribution", "r:5000/a/b:1", "")]
