"""Processes started in a running container."""

import asyncio
import json
import os

import pytest

from argosy.base.errors import ConflictError, NotFoundError
from argosy.runtime.model import Exited, StartFailed

from .conftest import Bench, Client, attach_request, exec_request, frames


def shim_pid(bench: Bench, container_id: str) -> int:
    with open(os.path.join(bench.scratch, "exec", "containers", container_id, "shim.json")) as file:
        return int(json.load(file)["shim"])


async def test_output_code_and_input(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    client = Client()
    request = exec_request("sh", "-c", "cat; echo err >&2; exit 5", attach=attach_request(stdin=True))
    pid = await shim.exec(request, client.given(), b"first ")
    assert pid > 0
    await client.send(b"second")
    client.half_close()
    assert frames(await client.read_all()) == {1: b"first second", 2: b"err\n"}
    assert await bench.code(shim, request.exec_id) == 5
    await bench.kill(shim)


async def test_a_hundred_megabytes_through_exec(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    client = Client()
    data = os.urandom(1 << 20) * 100
    request = exec_request("cat", attach=attach_request(stdin=True))
    await shim.exec(request, client.given(), b"")

    async def write() -> None:
        await client.send(data)
        client.half_close()

    _, output = await asyncio.gather(write(), client.read_all())
    assert frames(output)[1] == data
    await bench.kill(shim)


async def test_code_is_known_when_the_stream_ends(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    for number in range(20):
        client = Client()
        request = exec_request("sh", "-c", f"exit {number}", attach=attach_request())
        await shim.exec(request, client.given(), b"")
        await client.read_all()
        assert bench.exit(shim.id, request.exec_id).result().record.exit_code == number
    await bench.kill(shim)


@pytest.mark.parametrize(("program", "code", "words"), [("nosuch", 127, "not found in $PATH"), ("/tmp", 126, "permission denied")])
async def test_failure_has_dockers_words_and_leaves_the_client(bench: Bench, program: str, code: int, words: str) -> None:
    shim = await bench.start("sleep", "1000")
    client = Client()
    with pytest.raises(StartFailed) as failed:
        await shim.exec(exec_request(program, attach=attach_request()), client.given(), b"")
    assert failed.value.code == code
    assert words in str(failed.value)
    client.theirs.send(b"the daemon's own words")  # the socket is still the daemon's
    assert await client.read_until(b"words")
    client.close()
    await bench.kill(shim)


async def test_terminal_of_an_exec(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    client = Client()
    attach = attach_request(stdin=True, multiplexed=False)
    request = exec_request("sh", terminal=True, console_size=(30, 90), attach=attach)
    await shim.exec(request, client.given(), b"")
    await client.send(b"stty size\n")
    await client.read_until(b"30 90\r\n")
    await shim.resize(request.exec_id, 50, 120)
    await client.send(b"stty size; exit 9\n")
    await client.read_until(b"50 120\r\n")
    await client.read_all()
    assert await bench.code(shim, request.exec_id) == 9
    with pytest.raises(NotFoundError):
        await shim.resize(request.exec_id, 1, 1)
    await bench.kill(shim)


async def test_two_hundred_execs_leak_nothing(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    pid = shim_pid(bench, shim.id)
    before = len(os.listdir(f"/proc/{pid}/fd"))

    async def one(number: int) -> None:
        client = Client()
        request = exec_request("sh", "-c", f"echo {number}", attach=attach_request())
        await shim.exec(request, client.given(), b"")
        assert frames(await client.read_all())[1] == b"%d\n" % number
        assert await bench.code(shim, request.exec_id) == 0

    for wave in range(10):
        await asyncio.gather(*(one(wave * 20 + number) for number in range(20)))
    assert (await shim.stats())["execs"] == 0
    assert len(os.listdir(f"/proc/{pid}/fd")) == before
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        assert len(file.read().split()) == 1
    assert shim.processes() == [shim.pid]
    await bench.kill(shim)


async def test_stream_ends_two_seconds_after_a_program_that_left_its_output_open(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    client = Client()
    request = exec_request("sh", "-c", "sleep 500 & echo hi", attach=attach_request())
    await shim.exec(request, client.given(), b"")
    assert await bench.code(shim, request.exec_id) == 0
    assert frames(await client.read_all())[1] == b"hi\n"
    await bench.kill(shim)


async def test_execs_end_before_their_container_and_as_killed(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    request = exec_request("sleep", "1000")
    order: list[str] = []
    bench.runtime.on_exit(lambda exited: order.append(exited.exec_id))
    await shim.exec(request, None, b"")
    await bench.kill(shim)
    assert bench.exit(shim.id, request.exec_id).result().record.exit_code == 137
    assert order == [request.exec_id, ""]
    with pytest.raises(ConflictError):
        await shim.exec(exec_request("true"), None, b"")


async def test_signal_reaches_the_exec_alone(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    request = exec_request("sleep", "1000")
    await shim.exec(request, None, b"")
    await shim.signal_exec(request.exec_id, 15)
    assert await bench.code(shim, request.exec_id) == 143
    assert os.path.exists(f"/proc/{shim.pid}")
    await bench.kill(shim)


@pytest.mark.parametrize("kill", [True, False])
async def test_policy_when_the_client_vanishes(bench: Bench, kill: bool) -> None:
    shim = await bench.start("sleep", "1000")
    client = Client()
    request = exec_request("sleep", "1000", attach=attach_request(stdin=True), kill_on_disconnect=kill)
    await shim.exec(request, client.given(), b"")
    client.close()
    if kill:
        assert await bench.code(shim, request.exec_id) == 137
    else:
        for _ in range(500):
            if (await shim.stats())["execs"] == 1:
                break
        assert not bench.exit(shim.id, request.exec_id).done()
    await bench.kill(shim)


async def test_end_is_told_after_the_start(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    order: list[str] = []

    def ended(exited: Exited) -> None:
        order.append("ended")

    bench.runtime.on_exit(ended)
    for _ in range(20):
        await shim.exec(exec_request("true"), None, b"")
        order.append("started")
    for _ in range(500):
        if len(order) == 40:
            break
        await asyncio.sleep(0.01)
    await bench.kill(shim)
    running = 0
    for event in order[:40]:
        running += 1 if event == "started" else -1
        assert running >= 0
