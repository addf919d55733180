import base64
import json
from urllib.parse import urlencode

from argosy.build.instructions.run import StepFailed
from fakes.server import Api


def query(**values: object) -> str:
    pairs = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in values.items()}
    return "/build?" + urlencode(pairs)


async def test_all_parameters_reach_the_builder(api: Api) -> None:
    path = query(
        dockerfile="d/D", buildargs={"A": "1", "B": None}, labels={"l": "v"}, target="t", nocache="1", pull="1", networkmode="none",
        cachefrom=["x"], memory=1 << 23, memswap=-1, cpushares=2, shmsize=9, ulimits=[{"Name": "nofile", "Soft": 1, "Hard": 2}],
        extrahosts="a:1.1.1.1,b:2.2.2.2", platform="linux/amd64", squash="1", buildid="id", rm="0",
    ) + "&t=one&t=two:3&t=one"  # fmt: skip
    headers = {"X-Registry-Config": base64.urlsafe_b64encode(b'{"r": {"username": "u"}}').decode()}
    reply = await api.ask("POST", path, b"tar", {"Content-Type": "application/x-tar"} | headers)
    assert reply.status == 200
    (asked,) = api.builder.requests
    assert [tag.familiar for tag in asked.tags] == ["one:latest", "two:3"]
    assert (asked.dockerfile, asked.target, asked.network, asked.build_id) == ("d/D", "t", "none", "id")
    assert (asked.no_cache, asked.pull, asked.squash, asked.remove) == (True, True, True, False)
    assert (asked.build_args, asked.labels, asked.cache_from) == ({"A": "1", "B": None}, {"l": "v"}, ("x",))
    assert asked.extra_hosts == ("a:1.1.1.1", "b:2.2.2.2")
    limits = asked.limits
    assert (limits.memory, limits.memory_swap, limits.cpu_shares, limits.shm_size) == (1 << 23, -1, 2, 9)
    assert limits.ulimits == (("nofile", 1, 2),) and asked.auth["r"].username == "u"
    assert api.builder.bodies == [b"tar"]


async def test_a_failing_command_is_told_with_its_code(api: Api) -> None:
    api.builder.fails = StepFailed("The command '/bin/sh -c false' returned a non-zero code: 1", 1)
    reply = await api.ask("POST", "/build", b"tar")
    last = json.loads(reply.body.splitlines()[-1])
    assert reply.status == 200
    assert last["errorDetail"] == {"code": 1, "message": "The command '/bin/sh -c false' returned a non-zero code: 1"}


async def test_what_fails_before_the_first_message_has_a_status_of_its_own(api: Api) -> None:
    api.builder.says, api.builder.fails = [], StepFailed("dockerfile parse error on line 1: unknown instruction: X", 0)
    reply = await api.ask("POST", "/build", b"tar")
    assert (reply.status, reply.message) == (400, "dockerfile parse error on line 1: unknown instruction: X")


async def test_a_platform_that_is_none_is_refused_before_the_build(api: Api) -> None:
    reply = await api.ask("POST", "/build?platform=foo", b"tar")
    assert (reply.status, reply.message) == (400, '"foo": unknown operating system or architecture: invalid argument')
    assert not api.builder.requests


async def test_the_oldest_way_to_buildkit_is_told_others(api: Api) -> None:
    reply = await api.ask("POST", "/build?version=2")
    assert reply.status == 501 and "DOCKER_BUILDKIT=0" in reply.message


async def test_connections_of_buildkit_leave_http(api: Api) -> None:
    client = await api.connect()
    client.send("POST", "/v1.51/grpc", headers={"Upgrade": "h2c", "Connection": "Upgrade"}, extra=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    status, headers = await client.head()
    assert (status, headers["upgrade"]) == (101, "h2c")
    assert await client.reader.read() == b""
    await client.close()
    # What came behind the request is not lost, nor taken for another.
    assert api.buildkit.served == [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]

    client = await api.connect()
    names = {"X-Docker-Expose-Session-Uuid": "one", "X-Docker-Expose-Session-Grpc-Method": "/a/b"}
    client.send("POST", "/session", headers={"Upgrade": "h2c", "Connection": "Upgrade", **names})
    assert (await client.head())[0] == 101
    await client.close()
    assert api.buildkit.sessions == [("one", ["/a/b"])]


async def test_connections_of_buildkit_that_cannot_be(api: Api) -> None:
    upgrade = {"Upgrade": "h2c", "Connection": "Upgrade"}
    assert (await api.ask("POST", "/grpc")).message == "no upgrade proto in request"
    assert (await api.ask("POST", "/grpc", headers={**upgrade, "Upgrade": "tcp"})).message == "protocol tcp not supported"
    assert (await api.ask("POST", "/session", headers=upgrade)).message == "a session needs an id: X-Docker-Expose-Session-Uuid"


async def test_wrong_parameters_are_refused(api: Api) -> None:
    assert (await api.ask("POST", "/build?t=Not%20a%20name")).status == 400
    assert (await api.ask("POST", "/build?buildargs=[")).status == 400
    assert (await api.ask("POST", "/build/cancel")).message == "build ID not provided"


async def test_pruning_and_cancelling(api: Api) -> None:
    reply = await api.ask("POST", "/build/prune?all=1&keep-storage=5&filters=" + '{"until":["1h"]}')
    assert reply.json() == {"CachesDeleted": ["abc"], "SpaceReclaimed": 7}
    assert api.builder.pruned == [{"filters": {"until": ["1h"]}, "all": True, "reserved": 5, "maximum": 0, "free": 0}]
    assert (await api.ask("POST", "/build/cancel?id=x")).status == 200
    assert api.builder.cancelled == ["x"]
