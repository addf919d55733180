"""What an attached exec's client reads."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from argosy.base.errors import ConflictError, InvalidParameterError
from argosy.engine.announce import Announcer
from argosy.engine.container_view import CreateRequest
from argosy.engine.execs import Execs
from argosy.engine.model import Config, ExecSpec, HostConfig
from fakes.layers import FakeConfinement, make_world


class Connection:
    """A client that left HTTP; ``told`` is what its head said of the framing."""

    def __init__(self):
        self.here, self.there = socket.socketpair()
        self.told = None

    async def take(self, *, multiplexed):
        self.told = multiplexed
        return self.there.detach(), b""


class Confinement(FakeConfinement):
    def capabilities(self, spec, *, privileged=False):
        return ()


@pytest.fixture
async def execs(tmp_path):
    """An engine's execs with one running container ``web``; ``asked`` gets what its shim is asked for."""
    world = make_world(tmp_path)
    made = await world.creator.create(CreateRequest(name="web", config=Config(image="bb"), host=HostConfig(), endpoints={}))
    container = world.registry.get(made.id)
    await world.starter.start(container)
    asked = []

    begin = container.shim.exec

    async def start(request, sock, first):
        asked.append(request)
        return await begin(request, sock, first)

    container.shim.exec = start
    found = Execs(registry=world.registry, confinement=Confinement(), announce=Announcer(world.events))
    return SimpleNamespace(execs=found, asked=asked)


@pytest.mark.parametrize("framed", [True, False])
async def test_the_start_says_whether_the_streams_are_framed_and_not_the_exec(execs, framed):
    made = await execs.execs.create("web", ExecSpec(id="", container_id="", cmd=("true",), tty=True, attach_stdout=True))
    connection = Connection()
    await execs.execs.start(made, detach=False, tty=not framed, console_size=None, connection=connection)
    assert connection.told is execs.asked[0].attach.multiplexed is framed
    assert execs.asked[0].terminal
    connection.here.close()


async def test_a_program_that_is_not_there_is_told_on_the_stream(execs):
    made = await execs.execs.create("web", ExecSpec(id="", container_id="", cmd=("none",), attach_stdout=True))
    connection = Connection()
    await execs.execs.start(made, detach=False, tty=False, console_size=None, connection=connection)
    assert connection.here.recv(100) == b"\x01\x00\x00\x00\x00\x00\x00\x0eno such file\r\n"
    assert execs.execs.inspect(made)[1].exit_code == 127
    connection.here.close()


async def test_an_exec_that_hangs_in_its_start_can_be_killed(execs):
    made = await execs.execs.create("web", ExecSpec(id="", container_id="", cmd=("hangs",)))
    start = asyncio.ensure_future(execs.execs.start(made, detach=True, tty=False, console_size=None, connection=None))
    while not execs.asked:
        await asyncio.sleep(0)
    await execs.execs.kill(made, "TERM")
    with pytest.raises(InvalidParameterError, match="killed while it started"):
        await start
    assert execs.execs.inspect(made)[1].exit_code == 137
    with pytest.raises(ConflictError, match="is not running"):
        await execs.execs.kill(made, "")


async def test_an_exec_whose_client_leaves_while_it_starts_has_ended(execs):
    made = await execs.execs.create("web", ExecSpec(id="", container_id="", cmd=("hangs",)))
    start = asyncio.ensure_future(execs.execs.start(made, detach=True, tty=False, console_size=None, connection=None))
    while not execs.asked:
        await asyncio.sleep(0)
    start.cancel()
    await asyncio.wait([start])
    state = execs.execs.inspect(made)[1]
    assert (state.running, state.exit_code) == (False, 137)
