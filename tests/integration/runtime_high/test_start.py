"""Start, exit codes, failures, and nothing left."""

import asyncio
import json
import os

import pytest

from argosy.base.errors import NotFoundError
from argosy.runtime.model import StartFailed

from .conftest import Bench


async def test_exit_code_and_log(bench: Bench) -> None:
    code, shim = await bench.run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert code == 7
    records = [json.loads(line) for line in bench.log(shim.id).splitlines()]
    assert sorted((record["stream"], record["log"]) for record in records) == [("stderr", "err\n"), ("stdout", "out\n")]


async def test_death_by_signal_is_128_and_the_signal(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    shim.signal(9)
    assert await bench.code(shim) == 137
    await shim.closed.wait()
    with pytest.raises(NotFoundError):
        shim.signal(9)


@pytest.mark.parametrize(("program", "code"), [("nosuch", 127), ("/tmp", 126)])
async def test_program_that_cannot_be_executed_leaves_nothing(bench: Bench, program: str, code: int) -> None:
    with pytest.raises(StartFailed) as failed:
        await bench.start(program)
    assert failed.value.code == code
    for _ in range(500):
        if not bench.runtime.known():
            break
        await asyncio.sleep(0.01)
    assert bench.runtime.known() == []


async def test_unknown_log_driver_fails_the_start(bench: Bench) -> None:
    with pytest.raises(StartFailed, match='no log driver named "nosuch"'):
        await bench.runtime.prepare(bench.request("true", log="nosuch"))
    assert bench.runtime.known() == []


async def test_prepared_container_waits_for_its_release(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("echo", "hi"))
    assert os.path.exists(f"/proc/{shim.pid}/ns/net")
    assert bench.log(shim.id) == ""
    await shim.release()
    assert await bench.code(shim) == 0
    assert '"log":"hi\\n"' in bench.log(shim.id)


async def test_prepared_container_can_be_abandoned(bench: Bench) -> None:
    shim = await bench.runtime.prepare(bench.request("echo", "hi"))
    await shim.abandon()
    await bench.runtime.forget(shim.id)
    assert not os.path.exists(f"/proc/{shim.pid}/ns/net")
    assert bench.runtime.known() == []


async def test_container_starts_again_at_once_after_its_end(bench: Bench) -> None:
    first = await bench.start("sh", "-c", "echo one")
    await bench.code(first)
    del bench.exits[first.id, ""]
    second = await bench.start("sh", "-c", "echo two", id=first.id)
    assert await bench.code(second) == 0
    assert bench.log(first.id).count('"log"') == 2


async def test_forget_leaves_no_state(bench: Bench) -> None:
    _, shim = await bench.run("true")
    await bench.runtime.forget(shim.id)
    assert bench.runtime.known() == []
    assert not shim.group.exists()


async def test_shim_shows_its_id_and_has_no_foreign_fds(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    with open(os.path.join(bench.scratch, "exec", "containers", shim.id, "shim.json")) as file:
        pid = json.load(file)["shim"]
    with open(f"/proc/{pid}/cmdline", "rb") as raw:
        assert raw.read().split(b"\0")[:2] == [b"argosy-shim", shim.id.encode()]
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert os.getsid(pid) == pid
    await bench.kill(shim)


async def test_program_sees_only_its_three_fds_and_default_signals(bench: Bench) -> None:
    _, shim = await bench.run("ls", "/proc/self/fd")
    assert [json.loads(line)["log"] for line in bench.log(shim.id).splitlines()] == ["0\n", "1\n", "2\n", "3\n"]  # 3: ls's own
    _, shim = await bench.run("cat", "/proc/self/status")
    assert "SigIgn:\\t0000000000000000" in bench.log(shim.id).replace("\\u0009", "\\t")


async def test_fifty_starts_at_once(bench: Bench) -> None:
    results = await asyncio.gather(*(bench.run("sh", "-c", f"exit {number}") for number in range(50)))
    assert [code for code, _ in results] == list(range(50))
