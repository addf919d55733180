"""Platforms and manifests of images over HTTP."""

import json
from urllib.parse import quote

import pytest

from fakes.server import Api

ARM = quote(json.dumps({"os": "linux", "architecture": "arm64"}))
AMD = quote(json.dumps({"os": "linux", "architecture": "amd64", "variant": "v2"}))


async def test_platforms_to_remove_are_asked_for_since_1_50(api: Api) -> None:
    for version in ("1.49", "1.50"):
        assert (await api.ask("DELETE", f"/v{version}/images/busybox?platforms={ARM}&platforms={AMD}&force=1")).status == 200
    assert api.images.calls == [
        ("remove", "busybox", True, True),
        ("remove", "busybox", True, True, "linux/arm64", "linux/amd64/v2"),
    ]


@pytest.mark.parametrize("text", ["[]", "{", '{"os":"linux"}'])
async def test_what_is_no_platform_is_refused(api: Api, text: str) -> None:
    reply = await api.ask("DELETE", f"/images/busybox?platforms={quote(text)}")
    assert reply.status == 400


async def test_statements_are_asked_for_by_kind_and_for_one_platform(api: Api) -> None:
    assert (await api.ask("GET", f"/images/busybox/attestations?platform={ARM}&type=a&type=b&statement=1")).json() == []
    assert api.images.calls == [("attestations", "busybox", "linux/arm64", ["a", "b"], True)]
    reply = await api.ask("GET", f"/images/busybox/attestations?platform={ARM}&platform={AMD}")
    assert (reply.status, reply.message) == (400, "multiple platforms are not supported")
