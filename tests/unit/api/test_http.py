"""HTTP as the Engine API speaks it: headers, errors, bodies, keep-alive, clients that leave."""

import asyncio
import socket

import pytest

from argosy.base.errors import InvalidParameterError, NotFoundError
from fakes.engine import ID, IMAGE
from fakes.server import Api, Client


async def test_ping_tells_what_clients_look_for(api: Api) -> None:
    for method, body in (("GET", b"OK"), ("HEAD", b"")):
        reply = await api.ask(method, "/v1.41/_ping")
        assert (reply.status, reply.body) == (200, body)
        expected = {
            "api-version": "1.55",
            "docker-experimental": "false",
            "ostype": "linux",
            "builder-version": "2",
            "swarm": "inactive",
            "cache-control": "no-cache, no-store, must-revalidate",
            "pragma": "no-cache",
            "content-type": "text/plain; charset=utf-8",
        }
        assert expected.items() <= reply.headers.items()
        assert reply.headers["server"].startswith("Argosy/")


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/nope", 404, "page not found"),
        ("DELETE", "/info", 404, "page not found"),
        ("GET", "/v1.24/", 404, "page not found"),
        ("GET", "/v1.99/info", 400, "client version 1.99 is too new. Maximum supported API version is 1.55"),
        ("GET", "/containers/nope/json", 404, "No such container: nope"),
        ("GET", "/containers/json?limit=x", 400, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("GET", "/containers/json?filters=x", 400, "invalid filter"),
        ("GET", "/containers/json?filters=%7B%22nope%22:%5B%22a%22%5D%7D", 400, "invalid filter 'nope'"),
        ("GET", "/containers/web/logs", 400, "Bad parameters: you must choose at least one stream"),
        ("POST", "/containers/web/wait?condition=foo", 400, 'invalid condition: "foo"'),
        ("POST", "/containers/web/resize?h=x&w=1", 400, 'invalid resize height "x": invalid syntax'),
        ("POST", "/containers/web/rename", 400, "Neither old nor new names may be empty"),
        ("POST", "/containers/nope/attach?stream=1&stdout=1", 404, "No such container: nope"),
        ("POST", "/containers/web/attach?detachKeys=xx", 400, "Invalid detach keys (xx) provided"),
        ("GET", "/containers/web/archive", 400, "bad parameter: path cannot be empty"),
        ("GET", "/containers/web/archive?path=%00", 400, "the parameter path holds a NUL character"),
        ("POST", "/exec/nope/start", 404, "No such exec instance: nope"),
        ("GET", "/images/a/b/c/json", 404, "No such image: a/b/c:latest"),
        ("GET", "/events?since=10&until=5", 400, "`since` time (10) cannot be after `until` time (5)"),
        ("GET", "/system/df?type=x", 400, "unknown object type: x"),
        ("GET", "/volumes/nope", 404, "get nope: no such volume"),
        ("GET", "/networks/nope", 404, "network nope not found"),
        ("GET", "/plugins/x/json", 404, 'plugin "x" not found'),
        ("POST", "/swarm/leave", 503, "This node is not part of a swarm"),
        ("POST", "/session", 400, "no upgrade proto in request"),
    ],
)
async def test_errors_have_dockers_status_and_words(api: Api, method: str, path: str, status: int, message: str) -> None:
    reply = await api.ask(method, path)
    assert (reply.status, reply.message) == (status, message)
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/nodes", "/services", "/tasks", "/swarm", "/secrets", "/configs", "/nodes/x", "/services/x/logs"])
async def test_swarm_routes_say_that_this_is_no_manager(api: Api, path: str) -> None:
    reply = await api.ask("GET", path)
    assert reply.status == 503
    assert reply.message.startswith('This node is not a swarm manager. Use "docker swarm init"')


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/build?version=2"),
        ("POST", "/swarm/init"),
        ("POST", "/plugins/pull"),
        ("GET", "/containers/web/checkpoints"),
    ],
)
async def test_what_is_not_served_says_why(api: Api, method: str, path: str) -> None:
    reply = await api.ask(method, path)
    assert reply.status == 501
    assert len(reply.message) > 20


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ({}, "malformed Content-Type header (): mime: no media type"),
        ({"Content-Type": "text/plain"}, "unsupported Content-Type header (text/plain): must be 'application/json'"),
    ],
)
async def test_a_body_has_to_be_json(api: Api, content_type: dict[str, str], message: str) -> None:
    reply = await api.ask("POST", "/containers/create", b"{}", content_type)
    assert (reply.status, reply.message) == (400, message)


async def test_no_body_at_all_is_told_as_docker_tells_it(api: Api) -> None:
    reply = await api.ask("POST", "/containers/create")
    assert (reply.status, reply.message) == (400, "invalid JSON: got EOF while reading request body")
    reply = await api.ask("POST", "/containers/create", b"null", {"Content-Type": "application/json"})
    assert (reply.status, reply.message) == (400, "config cannot be empty in order to create a container")


async def test_create_passes_the_request_on(api: Api) -> None:
    body = {"Image": "busybox", "Cmd": "ls", "HostConfig": {"Memory": 5, "PidsLimit": -1, "CgroupnsMode": "private"}}
    reply = await api.ask("POST", "/v1.44/containers/create?name=/new&platform=linux/amd64", body)
    assert (reply.status, reply.json()) == (201, {"Id": ID, "Warnings": ["careful"]})
    ((_, request),) = api.containers.calls
    assert (request.name, request.platform, request.config.cmd) == ("new", "linux/amd64", ("ls",))
    assert (request.host.memory, request.host.pids_limit, request.host.cgroupns_mode) == (5, None, "private")


async def test_update_passes_only_what_was_sent(api: Api) -> None:
    await api.ask("POST", "/containers/web/update", {"Memory": 5, "RestartPolicy": {"Name": "always"}})
    ((_, _, changes),) = api.containers.calls
    assert changes.keys() == {"memory", "restart_policy"}
    assert changes["restart_policy"].name == "always"


async def test_parameters_reach_the_engine(api: Api) -> None:
    await api.ask("POST", "/v1.41/containers/web/stop?t=3&signal=INT")
    await api.ask("POST", "/v1.42/containers/web/stop?t=-1&signal=INT")
    await api.ask("POST", "/containers/web/kill")
    await api.ask("DELETE", "/containers/web?force=1&v=true&link=0")
    await api.ask("POST", "/containers/web/rename?name=/other")
    assert api.containers.calls == [
        ("stop", "web", 3, ""),
        ("stop", "web", -1, "INT"),
        ("kill", "web", "KILL"),
        ("remove", "web", True, True, False),
        ("rename", "web", "other"),
    ]


async def test_logs_options_are_understood(api: Api) -> None:
    reply = await api.ask("GET", "/containers/web/logs?stdout=1&since=1.5&tail=all&follow=1&timestamps=1")
    assert (reply.body, reply.headers["content-type"]) == (b"onetwo", "application/vnd.docker.multiplexed-stream")
    old = await api.ask("GET", "/v1.41/containers/web/logs?stdout=1&tail=7")
    assert old.headers["content-type"] == "application/vnd.docker.raw-stream"
    first, second = (call[2] for call in api.containers.calls)
    assert (first["since"], first["tail"], first["follow"], first["timestamps"]) == (1_500_000_000, -1, True, True)
    assert second["tail"] == 7


async def test_a_connection_serves_request_after_request(api: Api) -> None:
    client = await api.connect()
    for path, status in (("/_ping", 200), ("/nope", 404), ("/containers/web/export", 200), ("/_ping", 200)):
        client.send("GET", path)
        assert (await client.reply()).status == status
    client.send("POST", "/containers/web/pause")
    assert (await client.reply()).status == 204
    client.send("GET", "/_ping")
    client.send("GET", "/version")
    assert (await client.reply()).body == b"OK"
    assert (await client.reply()).json()["ApiVersion"] == "1.55"
    await client.close()


async def test_a_head_that_comes_byte_by_byte_is_understood(api: Api) -> None:
    client = await api.connect()
    for byte in b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n":
        client.writer.write(bytes((byte,)))
        await asyncio.sleep(0)
    assert (await client.reply()).body == b"OK"
    await client.close()


async def test_a_client_that_closed_its_sending_half_is_answered(api: Api) -> None:
    client = await api.connect()
    client.send("GET", "/containers/web/json")
    client.writer.write_eof()
    assert (await client.reply()).json()["Id"] == ID
    assert await client.reader.read() == b""
    await client.close()


async def test_a_connection_that_asks_to_be_closed_is(api: Api) -> None:
    client = await api.connect()
    client.send("GET", "/_ping", headers={"Connection": "close"})
    reply = await client.reply()
    assert reply.headers["connection"] == "close"
    assert await client.reader.read() == b""
    client = await api.connect()
    client.writer.write(b"GET /containers/web/export HTTP/1.0\r\n\r\n")
    reply = await client.reply()
    assert "transfer-encoding" not in reply.headers
    assert reply.body.endswith(b"tarend")


async def test_what_is_not_http_is_refused(api: Api) -> None:
    client = await api.connect()
    client.writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    reply = await client.reply()
    assert reply.status == 400
    assert await client.reader.read() == b""


async def test_http2_is_told_to_use_http1(api: Api) -> None:
    client = await api.connect()
    client.writer.write(b"PRI * HTTP/2.0\r\n")
    client.writer.write(b"\r\nSM\r\n\r\n")
    refusal = await client.reader.read()
    assert refusal[3] == 4  # SETTINGS
    assert refusal[9 + 3] == 7  # GOAWAY
    assert b"HTTP/1.1" in refusal


async def test_wait_sends_its_head_before_anything_happens(api: Api) -> None:
    client = await api.connect()
    client.send("POST", "/containers/web/wait?condition=next-exit")
    status, _ = await client.head()
    assert status == 200
    api.containers.released.set()
    assert await client.chunk() == b'{"StatusCode":3}\n'
    await client.close()


async def _left(api: Api, client: Client) -> None:
    await client.close()
    await asyncio.wait_for(api.containers.cancelled.wait(), 5)


async def test_a_handler_that_follows_its_client_ends_with_it(api: Api) -> None:
    client = await api.connect()
    client.send("POST", "/containers/web/wait")
    await client.head()
    await _left(api, client)


async def test_stats_end_with_their_client(api: Api) -> None:
    client = await api.connect()
    client.send("GET", "/containers/web/stats")
    await client.head()
    await client.chunk()
    await _left(api, client)


async def test_events_end_with_their_client(api: Api) -> None:
    client = await api.connect()
    client.send("GET", "/v1.51/events")
    await client.head()
    assert b'"status":"start"' in await client.chunk()
    await client.close()
    await asyncio.wait_for(api.system.cancelled.wait(), 5)


async def test_events_can_be_told_apart_by_their_type(api: Api) -> None:
    reply = await api.ask("GET", "/events?until=5", headers={"Accept": "application/json-seq"})
    assert reply.headers["content-type"] == "application/json-seq"
    assert reply.body.startswith(b"\x1e{")
    reply = await api.ask("GET", "/v1.51/events?until=5", headers={"Accept": "application/json-seq"})
    assert reply.headers["content-type"] == "application/json"


async def test_an_upload_arrives_whole_and_in_large_pieces(api: Api) -> None:
    body = bytes(range(256)) * 8192
    reply = await api.ask("PUT", "/containers/web/archive?path=/", body)
    assert (reply.status, api.containers.received == body) == (200, True)


async def test_a_chunked_upload_arrives_whole(api: Api) -> None:
    client = await api.connect()
    client.writer.write(b"PUT /containers/web/archive?path=/ HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100):
        client.writer.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
    client.writer.write(b"0\r\n\r\n")
    assert (await client.reply()).status == 200
    assert api.containers.received == b"x" * 100_000
    await client.close()


async def test_a_client_that_waits_for_permission_to_send_gets_it(api: Api) -> None:
    client = await api.connect()
    client.writer.write(b"PUT /containers/web/archive?path=/ HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.writer.write(b"abc")
    assert (await client.reply()).status == 200
    assert api.containers.received == b"abc"
    await client.close()


async def test_an_answer_before_the_body_was_read_does_not_hang_the_connection(api: Api) -> None:
    client = await api.connect()
    client.send("PUT", "/containers/nope/archive?path=/", b"x" * 300_000)
    assert (await client.reply()).status == 404
    client.send("GET", "/_ping")
    assert (await client.reply()).status == 200
    await client.close()


async def test_late_errors_of_a_load_are_messages(api: Api) -> None:
    api.images.failure = OSError("broken tar")
    reply = await api.ask("POST", "/images/load?quiet=1", b"tar")
    first, second = reply.body.splitlines()
    assert first == b'{"stream":"Loaded image: busybox:latest\\n"}'
    assert second == b'{"errorDetail":{"message":"broken tar"},"error":"broken tar"}'
    assert api.images.calls == [("load", True, "")]


async def test_early_errors_of_a_load_are_messages_too(api: Api) -> None:
    async def refuse(*_: object, **__: object) -> object:
        raise InvalidParameterError("unexpected EOF")

    api.images.load = refuse  # type: ignore[assignment]
    reply = await api.ask("POST", "/images/load", b"abc")
    assert (reply.status, reply.body) == (200, b'{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}\n')


async def test_a_stream_that_breaks_is_not_ended_as_if_whole(api: Api) -> None:
    async def broken() -> object:
        yield b"some"
        raise OSError("disk gone")

    async def export(ref: str) -> object:
        return broken()

    api.containers.export = export  # type: ignore[assignment,method-assign]
    client = await api.connect()
    client.send("GET", "/containers/web/export")
    await client.head()
    assert await client.chunk() == b"some"
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        assert await client.reader.readexactly(1)


async def test_an_error_before_the_first_piece_has_a_status_of_its_own(api: Api) -> None:
    async def failing() -> object:
        raise NotFoundError("Could not find the file /x in container web")
        yield b""

    async def archive_get(ref: str, path: str) -> object:
        return {}, failing()

    api.containers.archive_get = archive_get  # type: ignore[assignment,method-assign]
    reply = await api.ask("GET", "/containers/web/archive?path=/x")
    assert (reply.status, reply.message) == (404, "Could not find the file /x in container web")


async def test_an_unexpected_error_is_a_500_with_its_kind(api: Api) -> None:
    async def top(ref: str, ps_args: str) -> object:
        raise ValueError("a bug")

    api.containers.top = top  # type: ignore[assignment,method-assign]
    reply = await api.ask("GET", "/containers/web/top")
    assert (reply.status, reply.message) == (500, "internal error: ValueError: a bug")


async def test_commit_and_import_pass_what_they_are_given(api: Api) -> None:
    reply = await api.ask("POST", "/commit?container=web&repo=r&tag=t&changes=CMD%20a&changes=ENV%20b=c&pause=0")
    assert (reply.status, reply.json()) == (201, {"Id": IMAGE})
    options = api.containers.calls[-1][2]
    assert (options["repo"], options["changes"], options["pause"], options["config"]) == ("r", ["CMD a", "ENV b=c"], False, None)
    await api.ask("POST", "/images/create?fromSrc=-&repo=r&tag=t&message=m&changes=CMD%20a", b"tar")
    assert api.images.calls[-1][1]["message"] == "m"
    assert api.images.received == 3


async def test_the_server_closes_quickly_while_clients_follow(api: Api) -> None:
    follower, idle, silent = await api.connect(), await api.connect(), await api.connect()
    follower.send("POST", "/containers/web/wait")
    await follower.head()
    idle.send("GET", "/_ping")
    await idle.reply()
    await asyncio.wait_for(api.server.close(grace=30), 5)
    assert api.containers.cancelled.is_set()
    for client in (follower, idle, silent):
        await client.reader.read()
    with pytest.raises(OSError), socket.socket(socket.AF_UNIX) as late:
        late.connect(api.path)
