import asyncio
import os

import pytest

from argosy.base.errors import ConflictError
from argosy.engine.boot import Boot
from argosy.engine.container import Container
from argosy.engine.container_view import CreateRequest
from argosy.engine.model import Config, HostConfig, RestartPolicy, Status
from argosy.engine.sandboxes import Sandboxes
from argosy.network.model import Sandbox
from argosy.runtime.model import ExitRecord
from fakes.layers import make_world
from fakes.shim import FakeShim


class Found:
    """What a daemon finds of the one before it, by container."""

    def __init__(self, world):
        self.world = world
        self.outcomes = {}
        self.taken_up = {}
        world.runtime.known = lambda: list(self.outcomes)
        world.runtime.adopt = self._adopt
        world.networks.adopt = self._adopt_networks
        world.snapshots.keys = lambda: list(world.snapshots.made)

    async def _adopt(self, container_id):
        return self.outcomes[container_id]

    async def _adopt_networks(self, running):
        self.taken_up = dict(running)

    def shim(self, container):
        shim = self.outcomes[container.id] = FakeShim(container.id, self.world.log, self.world.fail)
        return shim

    async def boot(self):
        """Forget everything in memory, and come up again from the database."""
        world = self.world
        for container in list(world.registry):
            world.registry.remove(container)
        boot = Boot(
            registry=world.registry, store=world.store, runtime=world.runtime, networks=world.networks, snapshots=world.snapshots,
            volumes=world.volumes, mounting=world.mounting, sandboxes=Sandboxes(world.settings.exec_root), exits=world.exits,
            finish_removal=world.remover.finish, resume=lambda container: None, settings=world.settings, clock=world.clock,
        )  # fmt: skip
        boot.load()
        await boot.adopt()
        return boot


@pytest.fixture
async def found(tmp_path):
    world = make_world(tmp_path)
    yield Found(world)
    await world.supervisor.close()


async def create(world, name="web", **host) -> Container:
    made = await world.creator.create(CreateRequest(name=name, config=Config(image="bb"), host=HostConfig(**host), endpoints={}))
    return world.registry.get(made.id)


async def until(check):
    for _ in range(200):
        if check():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not come to that")


async def test_an_exit_is_told_even_when_the_start_was_never_written(found):
    container = await create(found.world)
    found.outcomes[container.id] = ExitRecord(exit_code=23, finished_at=7)
    await found.boot()
    after = found.world.registry.get(container.id)
    assert (after.state.status, after.state.exit_code, after.state.finished_at) == (Status.EXITED, 23, 7)


async def test_an_exit_that_the_state_tells_of_is_not_told_again(found):
    container = await create(found.world, restart_policy=RestartPolicy("on-failure", 0))
    await found.world.starter.start(container)
    found.world.runtime.end(container.id, 0)
    await until(lambda: container.state.status is Status.EXITED and not container.lock.locked())
    await found.world.store.save_state(container)
    dies = [event.action for event in found.world.events.history()].count("die")
    found.outcomes[container.id] = ExitRecord(exit_code=0, finished_at=container.state.finished_at)
    await found.boot()
    assert found.world.registry.get(container.id).state.status is Status.EXITED
    assert [event.action for event in found.world.events.history()].count("die") == dies


async def test_an_exit_nobody_saw_is_restarted_by_the_policy(found):
    container = await create(found.world, restart_policy=RestartPolicy("always", 0))
    await found.world.starter.start(container)
    await found.world.store.save_state(container)
    found.outcomes[container.id] = ExitRecord(exit_code=1, finished_at=container.state.started_at + 1)
    await found.boot()
    after = found.world.registry.get(container.id)
    assert after.state.status is Status.RESTARTING
    after.restart_timer.cancel()


@pytest.mark.parametrize("ran", [False, True])
async def test_what_was_to_be_removed_at_its_end_is_removed_whatever_its_state_says(found, ran):
    container = await create(found.world, auto_remove=True)
    if ran:
        found.outcomes[container.id] = ExitRecord(exit_code=0, finished_at=7)
    await found.boot()
    assert found.world.registry.get(container.id) is None
    assert found.world.snapshots.made == set()


@pytest.mark.parametrize("frozen", [False, True])
async def test_the_kernel_says_whether_a_container_is_paused(found, frozen):
    container = await create(found.world)
    await found.world.starter.start(container)
    if not frozen:
        await found.world.stopper.pause(container)
    await found.world.store.save_state(container)
    found.shim(container).stands_still = frozen
    await found.boot()
    assert found.world.registry.get(container.id).state.status is (Status.PAUSED if frozen else Status.RUNNING)


async def test_records_of_networks_stay_for_running_containers_alone(found):
    running, cut_off = await create(found.world, "running"), await create(found.world, "cut-off")
    sandboxes = Sandboxes(found.world.settings.exec_root)
    for container in (running, cut_off):
        sandboxes.save(container.id, Sandbox(endpoints={}, ports={}))
    found.shim(running)
    await found.boot()
    assert list(found.taken_up) == [running.id]
    assert os.listdir(found.world.settings.exec_root + "/sandboxes") == [running.id + ".json"]


async def test_the_sweep_leaves_alone_what_was_made_after_the_boot(found):
    kept = await create(found.world)
    found.world.snapshots.made.add("stray")
    boot = await found.boot()
    found.world.snapshots.made.add("being made")
    os.makedirs(found.world.settings.data_root + "/containers/being-made")
    await boot.sweep()
    assert found.world.snapshots.made == {kept.id, "being made"}
    assert os.path.isdir(found.world.settings.data_root + "/containers/being-made")


class Gate:
    """Holds a start up between the reservation of its addresses and the rest."""

    def __init__(self, world):
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self._reserve = world.networks.reserve
        world.networks.reserve = self._wait

    async def _wait(self, request):
        self.reached.set()
        await self.open.wait()
        return await self._reserve(request)


async def test_a_removal_waits_for_the_start_under_way_and_kills_what_it_made(found):
    world = found.world
    container, gate = await create(world), Gate(world)
    start = asyncio.ensure_future(world.starter.start(container))
    await gate.reached.wait()
    removal = asyncio.ensure_future(world.remover.remove(container, force=True, volumes=False))
    await asyncio.sleep(0)
    gate.open.set()
    await start
    await removal
    assert world.log.index("release") < world.log.index("kill all") < world.log.index("remove snapshot")


async def test_a_plain_removal_does_not_take_away_what_a_start_is_making(found):
    world = found.world
    container, gate = await create(world), Gate(world)
    start = asyncio.ensure_future(world.starter.start(container))
    await gate.reached.wait()
    removal = asyncio.ensure_future(world.remover.remove(container, force=False, volumes=False))
    await asyncio.sleep(0)
    gate.open.set()
    await start
    with pytest.raises(ConflictError, match="container is running"):
        await removal
    assert container.running


async def test_a_stop_ends_what_a_restart_is_starting(found):
    world = found.world
    container = await create(world, restart_policy=RestartPolicy("always", 0))
    await world.starter.start(container)
    world.runtime.end(container.id, 1)
    await until(lambda: container.restart_timer is not None)
    container.restart_timer.cancel()
    gate = Gate(world)
    start = asyncio.ensure_future(world.starter.start(container))
    await gate.reached.wait()
    stop = asyncio.ensure_future(world.stopper.stop(container, timeout=1, signal=""))
    await asyncio.sleep(0)
    gate.open.set()
    await start
    await stop
    await until(lambda: container.state.status is Status.EXITED)
    assert container.restart_timer is None
