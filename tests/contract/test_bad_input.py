"""No request, however wrong, becomes an internal error or breaks the connection."""

import re
from urllib.parse import quote

import pytest

from contract.schemas import operations
from fakes.server import Api

BODIES = (b"", b"{}", b"[]", b"null", b'"x"', b"3", b"\xff\xfe", b'{"Cmd":[', b'{"Container":3}', b'{"Cmd":{"a":1}}', b"{" * 2000)
VALUES = ("", "x", "-1", "99999999999999999999", "%", "{}", "[", '{"a":[', '{"os":1}', "\x00", "ü" * 50)
ENDLESS = {"/events", "/containers/{id}/wait", "/containers/{id}/attach", "/containers/{id}/attach/ws"}


def _targets(path: str, parameters: list[str]) -> list[str]:
    filled = re.sub(r"\{\w+\}", "web", path)
    return [filled, *(f"{filled}?" + "&".join(f"{name}={quote(value)}" for name in parameters) for value in VALUES)]


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        (method, path, [p["name"] for p in operation.get("parameters", ()) if p.get("in") == "query"])
        for method, path, operation in operations()
        if path not in ENDLESS
    ],
)
async def test_bad_input_is_refused_or_ignored(api: Api, method: str, path: str, parameters: list[str]) -> None:
    client = await api.connect()
    for target in _targets(path, [name for name in parameters if name not in ("stream", "follow")]):
        for body in BODIES if method in ("POST", "PUT") else (b"",):
            target_now = target + ("&" if "?" in target else "?") + "stream=0"
            client.send(method, target_now, body, {"Content-Type": "application/json"} if body else {})
            reply = await client.reply(method)
            assert reply.status != 500, (target_now, body, reply.body)
            if reply.headers.get("connection") in ("close", "Upgrade"):
                await client.close()
                client = await api.connect()
    await client.close()
