"""Execs that hang while they start: nobody else notices, and they can be ended."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest

from argosy.base.errors import ConflictError, NotFoundError
from argosy.runtime.client import ShimHandle
from argosy.runtime.model import ExecRequest, StartFailed
from support.silence import Silence, silence

from .conftest import Bench, Client, attach_request, exec_request, frames
from .test_foreign import RUNC, needs_runc
from .test_foreign import request as foreign_request


@pytest.fixture(name="silence")
def silent() -> Iterator[Silence]:
    with silence() as made:
        yield made


def shim_pid(bench: Bench, shim: ShimHandle) -> int:
    with open(os.path.join(bench.scratch, "exec", "containers", shim.id, "shim.json")) as file:
        return int(json.load(file)["shim"])


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def state(pid: int) -> str:
    """Return proc(5)'s letter."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


async def until(check: "object", what: str) -> None:
    assert callable(check)
    for _ in range(1500):
        if check():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within 15 s: {what}")


def hanging(**changes: object) -> ExecRequest:
    """Its working directory is on what does not answer."""
    request = exec_request("true", **changes)
    assert isinstance(request.process, dict)
    request.process["cwd"] = "/hung"
    return request


class Hung:
    """A container with one exec that hangs in its start."""

    def __init__(self, bench: Bench, shim: ShimHandle, request: ExecRequest, start: "asyncio.Task[int]") -> None:
        self.bench, self.shim, self.request, self.start = bench, shim, request, start
        self.shim_pid = shim_pid(bench, shim)

    async def starter(self) -> tuple[int, int]:
        """Return (the fork, what it has made), once that waits."""
        found: list[int] = []

        def waits() -> bool:
            for fork in set(children(self.shim_pid)) - {self.shim.pid}:
                if made := children(fork):
                    found[:] = [fork, *made]
            return bool(found)

        await until(waits, "the exec has got as far as its process")
        return found[0], found[1]

    async def ended(self) -> StartFailed:
        with pytest.raises(StartFailed) as failed:
            await asyncio.wait_for(self.start, 10)
        return failed.value


@pytest.fixture
async def hung(bench: Bench, silence: Silence) -> AsyncIterator[Hung]:
    shim = await bench.start("sh", "-c", "while read line; do echo got $line; done", open_stdin=True)
    silence.mount(shim.pid)
    request = hanging()
    made = Hung(bench, shim, request, asyncio.ensure_future(shim.exec(request, None, b"")))
    yield made
    made.start.cancel()
    await asyncio.wait([made.start])
    if made.start.done() and not made.start.cancelled():
        made.start.exception()  # looked at by those who expect one


async def test_streams_execs_and_signals_go_on_beside_it(hung: Hung) -> None:
    await hung.starter()
    attached, client = Client(), Client()
    await asyncio.wait_for(hung.shim.attach(attach_request(stdin=True), attached.given(), b"hello\n"), 5)
    await attached.read_until(b"got hello")
    second = exec_request("sh", "-c", "echo second; exit 3", attach=attach_request())
    await asyncio.wait_for(hung.shim.exec(second, client.given(), b""), 5)
    assert frames(await client.read_all())[1] == b"second\n"
    assert await hung.bench.code(hung.shim, second.exec_id) == 3
    await attached.send(b"again\n")
    await attached.read_until(b"got again")
    assert (await hung.shim.stats())["starting"] == 1
    assert not hung.start.done()
    attached.close()


async def test_it_can_be_killed_and_leaves_nothing(hung: Hung) -> None:
    fork, made = await hung.starter()
    descriptors = len(os.listdir(f"/proc/{hung.shim_pid}/fd"))
    with pytest.raises(ConflictError, match="still starting"):
        await hung.shim.signal_exec(hung.request.exec_id, signal.SIGUSR1)
    await hung.shim.signal_exec(hung.request.exec_id, signal.SIGTERM)
    failed = await hung.ended()
    assert failed.code == 137
    assert "killed while it started" in str(failed)
    await until(lambda: not os.path.exists(f"/proc/{fork}") and not os.path.exists(f"/proc/{made}"), "both are gone")
    assert children(hung.shim_pid) == [hung.shim.pid]
    assert hung.shim.processes() == [hung.shim.pid]
    assert len(os.listdir(f"/proc/{hung.shim_pid}/fd")) < descriptors
    with pytest.raises(NotFoundError):
        await hung.shim.signal_exec(hung.request.exec_id, signal.SIGTERM)


async def test_who_gives_up_waiting_ends_it(hung: Hung) -> None:
    fork, made = await hung.starter()
    hung.start.cancel()
    await until(lambda: not os.path.exists(f"/proc/{fork}") and not os.path.exists(f"/proc/{made}"), "both are gone")
    assert (await hung.shim.stats())["starting"] == 0


async def test_it_is_given_up_after_its_limit(bench: Bench, silence: Silence) -> None:
    shim = await bench.start("sleep", "1000")
    silence.mount(shim.pid)
    with pytest.raises(StartFailed, match=r"did not start within 0\.3 s") as failed:
        await asyncio.wait_for(shim.exec(hanging(start_limit=0.3), None, b""), 10)
    assert failed.value.code == 137
    await bench.kill(shim)


async def test_the_containers_end_is_its_end(hung: Hung) -> None:
    fork, made = await hung.starter()
    hung.shim.signal(signal.SIGKILL)
    assert await hung.bench.code(hung.shim) == 137
    with pytest.raises((ConflictError, StartFailed)):
        await asyncio.wait_for(hung.start, 10)
    await hung.bench.runtime.forget(hung.shim.id)
    await until(lambda: not os.path.exists(f"/proc/{fork}") and not os.path.exists(f"/proc/{made}"), "both are gone")


async def test_a_killed_shim_leaves_neither_fork_nor_process(hung: Hung) -> None:
    fork, made = await hung.starter()
    os.kill(hung.shim_pid, signal.SIGKILL)
    assert await hung.bench.code(hung.shim) == 137
    with pytest.raises(ConflictError):
        await asyncio.wait_for(hung.start, 10)
    await until(lambda: not os.path.exists(f"/proc/{fork}") and not os.path.exists(f"/proc/{made}"), "both are gone")
    await hung.bench.runtime.forget(hung.shim.id)
    assert hung.bench.runtime.known() == []


async def test_a_starter_that_is_stopped_holds_nobody_up(bench: Bench, silence: Silence) -> None:
    shim = await bench.start("sleep", "1000")
    silence.mount(shim.pid)
    request = hanging()
    hung = Hung(bench, shim, request, asyncio.ensure_future(shim.exec(request, None, b"")))
    fork, made = await hung.starter()
    os.kill(fork, signal.SIGSTOP)
    second = exec_request("true")
    await asyncio.wait_for(shim.exec(second, None, b""), 5)
    assert await bench.code(shim, second.exec_id) == 0
    await shim.signal_exec(request.exec_id, signal.SIGKILL)
    await hung.ended()
    await until(lambda: not os.path.exists(f"/proc/{made}"), "what it has made is gone")
    await bench.kill(shim)


async def test_what_a_killed_fork_has_made_ends_without_anybodys_help(hung: Hung) -> None:
    fork, made = await hung.starter()
    os.kill(hung.shim_pid, signal.SIGSTOP)
    os.kill(fork, signal.SIGKILL)
    await until(lambda: state(made) == "Z", "it has ended")
    os.kill(hung.shim_pid, signal.SIGCONT)
    assert "its starter was killed" in str(await hung.ended())
    assert hung.shim.processes() == [hung.shim.pid]


async def test_a_terminal_takes_the_size_that_it_got_while_it_started(bench: Bench, silence: Silence) -> None:
    shim = await bench.start("sleep", "1000")
    silence.mount(shim.pid)
    client = Client()
    attach = attach_request(stdin=True, multiplexed=False)
    program = 'while [ "$(/bin/stty size)" != "50 120" ]; do :; done; echo done'
    request = exec_request("sh", "-c", program, terminal=True, console_size=(30, 90), attach=attach)
    assert isinstance(request.process, dict)
    request.process["env"] = ["PATH=/hung:/bin", "TERM=xterm"]
    hung = Hung(bench, shim, request, asyncio.ensure_future(shim.exec(request, client.given(), b"")))
    await hung.starter()
    await shim.resize(request.exec_id, 50, 120)
    # The end of the connection makes every wait for it fail, and the search goes on in the next directory of PATH.
    silence.end()
    await asyncio.wait_for(hung.start, 10)
    assert await client.read_all() == b"done\r\n"
    await bench.kill(shim)


async def test_a_container_paused_while_an_exec_starts(bench: Bench) -> None:
    """What is frozen on its way cannot be ended before it is thawed on cgroup v1, but nobody waits for it."""
    shim = await bench.start("sleep", "1000")
    await shim.pause()
    request = exec_request("true")
    hung = Hung(bench, shim, request, asyncio.ensure_future(shim.exec(request, None, b"")))
    fork, made = await hung.starter()
    assert (await asyncio.wait_for(shim.stats(), 5))["starting"] == 1
    await shim.signal_exec(request.exec_id, signal.SIGKILL)
    await hung.ended()
    await shim.resume()
    await until(lambda: not os.path.exists(f"/proc/{fork}") and not os.path.exists(f"/proc/{made}"), "both are gone")
    later = exec_request("true")
    await shim.exec(later, None, b"")
    assert await bench.code(shim, later.exec_id) == 0
    await bench.kill(shim)


async def test_an_exec_goes_on_when_the_container_is_thawed(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    await shim.pause()
    request = exec_request("sh", "-c", "exit 6")
    hung = Hung(bench, shim, request, asyncio.ensure_future(shim.exec(request, None, b"")))
    await hung.starter()
    await shim.resume()
    await asyncio.wait_for(hung.start, 10)
    assert await bench.code(shim, request.exec_id) == 6
    await bench.kill(shim)


@needs_runc
async def test_a_foreign_runtime_that_hangs_holds_nobody_up_and_can_be_killed(bench: Bench, silence: Silence) -> None:
    shim = await bench.runtime.prepare(foreign_request(bench, RUNC, "sh", "-c", "read a; echo got $a; sleep 1000", open_stdin=True))
    await shim.release()
    silence.mount(shim.pid)
    request = hanging()
    hung = Hung(bench, shim, request, asyncio.ensure_future(shim.exec(request, None, b"")))
    fork, _ = await hung.starter()
    client = Client()
    await asyncio.wait_for(shim.attach(attach_request(stdin=True), client.given(), b"word\n"), 5)
    await client.read_until(b"got word")
    await shim.signal_exec(request.exec_id, signal.SIGKILL)
    assert (await hung.ended()).code == 137
    await until(lambda: not os.path.exists(f"/proc/{fork}"), "the fork is gone")
    await bench.kill(shim)
    client.close()
