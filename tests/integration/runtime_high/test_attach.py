"""Attached clients: what they get, what they send, and that the program never waits for those it need not wait for."""

import asyncio
import hashlib
import json
import os
import time

import pytest

from .conftest import Bench, Client, attach_request, frames

_LARGE = 100_000_000


@pytest.mark.parametrize("log", ["json-file", "none"])
async def test_a_hundred_megabytes_arrive_whole(bench: Bench, log: str) -> None:
    shim = await bench.runtime.prepare(
        bench.request("sh", "-c", f"yes 0123456789 | head -c {_LARGE}", log=log, log_options={"max-size": "1g"})
    )
    client = Client()
    await shim.attach(attach_request(), client.given(), b"")
    await shim.release()
    output = frames(await client.read_all())[1]
    assert len(output) == _LARGE
    assert output == (b"0123456789\n" * (_LARGE // 11 + 1))[:_LARGE]
    assert await bench.code(shim) == 0


async def test_input_arrives_whole_and_half_close_ends_it(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("md5sum", open_stdin=True, stdin_once=True))
    client = Client()
    data = os.urandom(20_000_000)
    await shim.attach(attach_request(stdin=True), client.given(), data[:1000])
    await shim.release()
    await client.send(data[1000:])
    client.half_close()
    assert frames(await client.read_all())[1].split()[0].decode() == hashlib.md5(data).hexdigest()
    assert await bench.code(shim) == 0


async def test_echo_through_cat_is_byte_exact_both_ways_at_once(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("cat", open_stdin=True, stdin_once=True, log="none"))
    client = Client()
    data = os.urandom(10_000_000)
    await shim.attach(attach_request(stdin=True), client.given(), b"")
    await shim.release()

    async def write() -> None:
        await client.send(data)
        client.half_close()

    _, output = await asyncio.gather(write(), client.read_all())
    assert frames(output)[1] == data


async def test_half_close_without_stdin_once_leaves_the_session(bench: Bench) -> None:
    shim = await bench.start("sh", "-c", "read line; echo got $line", open_stdin=True)
    first, second = Client(), Client()
    await shim.attach(attach_request(stdin=True), first.given(), b"")
    first.half_close()
    await shim.attach(attach_request(stdin=True), second.given(), b"word\n")
    assert frames(await first.read_all())[1] == b"got word\n"
    assert frames(await second.read_all())[1] == b"got word\n"


async def test_client_that_asks_for_one_stream_gets_that_one(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("sh", "-c", "echo out; echo err >&2"))
    client = Client()
    ended = await shim.attach(attach_request(stdout=False), client.given(), b"")
    await shim.release()
    assert frames(await client.read_all()) == {1: b"", 2: b"err\n"}
    await asyncio.wait_for(ended, 10)


async def test_terminal_is_raw_has_a_size_and_echoes(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("sh", terminal=True, open_stdin=True, console_size=(24, 80)))
    client = Client()
    await shim.attach(attach_request(stdin=True, multiplexed=False), client.given(), b"")
    await shim.release()
    await client.send(b"stty size\n")
    await client.read_until(b"24 80\r\n")
    await shim.resize("", 40, 100)
    await client.send(b"stty size; exit 3\n")
    await client.read_until(b"40 100\r\n")
    await client.read_all()
    assert await bench.code(shim) == 3


async def test_detach_keys_let_the_client_go_and_the_program_run(bench: Bench) -> None:
    shim = await bench.start("cat", terminal=True, open_stdin=True)
    client = Client()
    ended = await shim.attach(attach_request(stdin=True, multiplexed=False), client.given(), b"")
    await client.send(b"abc\x10")
    await client.read_until(b"abc")
    await client.send(b"d\x10\x11never")
    assert b"\x11" not in await client.read_all()
    await asyncio.wait_for(ended, 10)
    assert os.path.exists(f"/proc/{shim.pid}")
    await bench.kill(shim)


async def test_onlooker_that_does_not_read_is_let_go_with_a_note(bench: Bench) -> None:
    shim = await bench.start(
        "sh",
        "-c",
        "read go; yes 0123456789012345678901234567890123456789012345678 | head -c 30000000; echo done >&2",
        open_stdin=True,
        log_options={"max-size": "1g"},
    )
    slow, starter = Client(), Client()
    ended = await shim.attach(attach_request(), slow.given(), b"")
    await shim.attach(attach_request(stdin=True, stdout=False), starter.given(), b"go\n")
    assert frames(await starter.read_all())[2].startswith(b"done")
    assert await bench.code(shim) == 0
    assert not ended.done()
    told = frames(await slow.read_all())
    assert b"too slowly" in told[2]
    assert len(told[1]) < 30_000_000
    await asyncio.wait_for(ended, 10)
    with open(bench.log_path(shim.id), "rb") as file:
        assert sum(1 for _ in file) == 600_001


async def test_foreground_client_that_pauses_gets_everything(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("sh", "-c", "yes | head -c 20000000"))
    client = Client()
    await shim.attach(attach_request(), client.given(), b"")
    await shim.release()
    deadline = time.monotonic() + 20
    before = -1
    while (now := (await shim.stats())["output_bytes"]) != before:  # until the shim takes no more
        before = now
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    assert before < 20_000_000
    assert len(frames(await client.read_all())[1]) == 20_000_000
    assert await bench.code(shim) == 0


async def test_client_that_vanishes_is_nobodys_problem(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("sh", "-c", "read go; yes | head -c 20000000; exit 4", open_stdin=True))
    gone, starter = Client(), Client()
    ended = await shim.attach(attach_request(), gone.given(), b"")
    await shim.attach(attach_request(stdin=True, stdout=False), starter.given(), b"")
    await shim.release()
    gone.close()
    await starter.send(b"go\n")
    assert await bench.code(shim) == 4
    await asyncio.wait_for(ended, 10)
    starter.close()


async def test_ten_clients_see_the_same(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("seq", "1", "20000"))
    clients = [Client() for _ in range(10)]
    for client in clients:
        await shim.attach(attach_request(), client.given(), b"")
    await shim.release()
    outputs = await asyncio.gather(*(client.read_all() for client in clients))
    assert len({frames(output)[1] for output in outputs}) == 1
    assert frames(outputs[0])[1].endswith(b"20000\n")


async def test_flush_makes_the_log_complete(bench: Bench) -> None:
    shim = await bench.start("sh", "-c", "echo one; echo two; sleep 1000")
    for _ in range(500):
        await shim.flush_logs()
        if len(bench.log(shim.id).splitlines()) == 2:
            break
        await asyncio.sleep(0.01)
    assert [json.loads(line)["log"] for line in bench.log(shim.id).splitlines()] == ["one\n", "two\n"]
    await bench.kill(shim)
