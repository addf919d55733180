import asyncio
import os
import shutil

import pytest

from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError, NotModifiedError, SystemFailureError
from argosy.engine.container_view import CreateRequest
from argosy.engine.model import Config, HostConfig, MountPoint, RestartPolicy, Status
from argosy.engine.wait import wait
from argosy.runtime.model import StartFailed
from fakes.layers import actions, make_world


@pytest.fixture
async def world(tmp_path):
    made = make_world(tmp_path)
    yield made
    await made.supervisor.close()


async def create(world, name="web", image="bb", **host):
    made = await world.creator.create(CreateRequest(name=name, config=Config(image=image), host=HostConfig(**host), endpoints={}))
    return world.registry.get(made.id)


async def settle(container, *states):
    """Let the exit's task run until the container is in one of the states."""
    for _ in range(200):
        if container.state.status in states and not container.lock.locked():
            return
        await asyncio.sleep(0)
    raise AssertionError(container.state)


async def test_a_container_is_promised_only_when_all_of_it_is_made(world):
    container = await create(world)
    assert ("container", container.id) in world.database.kept
    assert container.spec.path == "sh"
    assert container.spec.config.hostname == container.id[:12]
    assert list(container.spec.networks) == ["bridge"]
    assert actions(world) == ["create"]


@pytest.mark.parametrize("step", ["snapshot"])
async def test_a_create_that_fails_leaves_nothing(world, step):
    world.fail[step] = OSError("no space left on device")
    with pytest.raises(OSError, match="no space"):
        await create(world)
    assert world.snapshots.made == set()
    assert world.database.kept == {}
    assert not world.registry.name_taken("web")
    assert not os.path.exists(world.settings.data_root + "/containers") or os.listdir(world.settings.data_root + "/containers") == []


async def test_an_unknown_image_is_named(world):
    with pytest.raises(NotFoundError, match="No such image: nope:latest"):
        await create(world, image="nope")
    assert not world.registry.name_taken("web")


async def test_a_taken_name_is_refused(world):
    await create(world)
    with pytest.raises(ConflictError, match="already in use"):
        await create(world)


async def test_anonymous_volumes_of_a_failed_create_are_removed(tmp_path):
    world = make_world(tmp_path, lambda config, host: (MountPoint(type="volume", destination="/data"),))
    world.fail["snapshot"] = OSError("broken")
    with pytest.raises(OSError, match="broken"):
        await create(world)
    assert world.volumes.known == {}
    assert [kind for kind, _ in world.database.kept] == ["create-intent"]
    await world.mounting.undo_intents()
    assert world.database.kept == {}


async def test_a_container_whose_directory_was_lost_starts(world):
    """A power cut takes what was not synced."""
    container = await create(world)
    await world.starter.start(container)
    world.runtime.end(container.id, 0)
    await settle(container, Status.EXITED)
    shutil.rmtree(world.settings.data_root + "/containers")
    await world.starter.start(container)
    assert container.state.status is Status.RUNNING


async def test_a_start_reserves_attaches_and_only_then_releases(world):
    container = await create(world)
    await world.starter.start(container)
    assert world.log.index("reserve") < world.log.index("attach 4242") < world.log.index("release")
    assert (container.state.status, container.state.pid) == (Status.RUNNING, 4242)
    assert actions(world) == ["create", "start"]
    with open(f"{world.settings.data_root}/containers/{container.id}/hosts", "rb") as handle:
        assert handle.read() == b"127.0.0.1 localhost\n"


async def test_a_linked_neighbour_is_told_of_in_variables(world):
    neighbour = await create(world, name="neighbour")
    await world.starter.start(neighbour)
    container = await create(world, name="web", links=(f"{neighbour.name}:db",))
    await world.starter.start(container)
    assert "DB_NAME=/web/db" in world.runtime.requests[-1].spec["process"]["env"]


async def test_a_second_start_changes_nothing(world):
    container = await create(world)
    await world.starter.start(container)
    with pytest.raises(NotModifiedError):
        await world.starter.start(container)


@pytest.mark.parametrize("step", ["reserve", "prepare", "attach 4242", "release"])
async def test_a_start_that_fails_at_any_step_gives_everything_back(world, step):
    container = await create(world)
    world.fail[step] = OSError("broken")
    with pytest.raises(SystemFailureError, match="broken"):
        await world.starter.start(container)
    assert "release network" in world.log
    assert "forget" in world.log
    assert ("abandon" in world.log) is (step != "prepare")
    assert (container.state.status, container.shim) == (Status.CREATED, None)
    await world.starter.start(container)
    assert container.running


async def test_a_program_that_is_not_there_ends_with_127_and_400(world):
    container = await create(world)
    world.fail["release"] = StartFailed("exec: no such file", 127)
    waiting = wait(container, "next-exit")
    with pytest.raises(InvalidParameterError, match="no such file"):
        await world.starter.start(container)
    assert (container.state.exit_code, container.state.error) == (127, "exec: no such file")
    record = await anext(waiting)
    assert (record.exit_code, record.error) == (127, "")


async def test_an_exit_wakes_waiters_and_gives_back_the_host(world):
    container = await create(world)
    await world.starter.start(container)
    waiting = wait(container, "")
    world.runtime.end(container.id, 3)
    assert (await anext(waiting)).exit_code == 3
    await settle(container, Status.EXITED)
    assert "release network" in world.log
    assert actions(world)[-1] == "die"


async def test_rm_takes_the_container_away_after_its_exit(world):
    container = await create(world, auto_remove=True)
    removed = wait(container, "removed")
    await world.starter.start(container)
    world.runtime.end(container.id, 5)
    assert (await anext(removed)).exit_code == 5
    assert world.registry.get(container.id) is None
    assert world.snapshots.made == set()
    assert [kind for kind, _ in world.database.kept if kind == "container"] == []


async def test_a_restart_keeps_a_container_with_rm(world):
    container = await create(world, auto_remove=True)
    await world.starter.start(container)
    await world.stopper.restart(container, timeout=1, signal="")
    assert container.running
    assert not container.removed


async def test_the_policy_starts_it_again_after_the_delay(world):
    container = await create(world, restart_policy=RestartPolicy("always"))
    await world.starter.start(container)
    world.runtime.end(container.id, 1)
    await settle(container, Status.RESTARTING)
    assert container.restart_timer is not None
    assert container.state.restart_count == 1
    container.restart_timer.cancel()


async def test_stop_sends_the_signal_and_is_told_when_it_ended(world):
    container = await create(world)
    await world.starter.start(container)
    await world.stopper.stop(container, timeout=5, signal="")
    assert "signal 15" in world.log
    assert container.state.exit_code == 143
    assert container.state.manually_stopped


async def test_stop_kills_after_the_grace_period(world):
    container = await create(world)
    await world.starter.start(container)
    world.runtime.dies_at = {9}
    await world.stopper.stop(container, timeout=0, signal="")
    assert [word for word in world.log if word.startswith("signal")] == ["signal 15", "signal 9"]


async def test_a_paused_container_is_resumed_to_be_stopped(world):
    container = await create(world)
    await world.starter.start(container)
    await world.stopper.pause(container)
    with pytest.raises(ConflictError, match="is already paused"):
        await world.stopper.pause(container)
    await world.stopper.stop(container, timeout=0, signal="")
    assert "resume" in world.log


async def test_kill_of_a_stopped_container_is_a_conflict(world):
    container = await create(world)
    with pytest.raises(ConflictError, match=f"cannot kill container: web: container {container.id} is not running"):
        await world.stopper.kill(container, signal="KILL")


async def test_an_unknown_signal_is_named(world):
    container = await create(world)
    with pytest.raises(InvalidParameterError, match="invalid signal: FOO"):
        await world.stopper.kill(container, signal="FOO")


async def test_a_running_container_is_removed_only_by_force(world):
    container = await create(world)
    await world.starter.start(container)
    with pytest.raises(ConflictError, match='cannot remove container "web": container is running'):
        await world.remover.remove(container, force=False, volumes=False)
    await world.remover.remove(container, force=True, volumes=False)
    assert "kill all" in world.log
    assert world.registry.get(container.id) is None
    assert actions(world)[-1] == "destroy"


async def test_the_revision_goes_before_the_snapshot(world):
    container = await create(world)
    world.fail["remove snapshot"] = OSError("busy")
    with pytest.raises(OSError, match="busy"):
        await world.remover.remove(container, force=False, volumes=False)
    assert ("container", container.id) not in world.database.kept


async def test_joining_the_network_of_a_stopped_container_is_refused(world):
    other = await create(world, name="other")
    container = await create(world, network_mode="container:other")
    with pytest.raises(ConflictError, match=f"cannot join network namespace of a non running container: {other.id}"):
        await world.starter.start(container)


async def test_a_network_that_is_gone_fails_the_start(world):
    container = await create(world, network_mode="nope")
    with pytest.raises(NotFoundError, match="network nope not found"):
        await world.starter.start(container)


async def test_rm_takes_a_container_away_that_could_not_start(world):
    container = await create(world, auto_remove=True)
    removed = wait(container, "removed")
    world.fail["release"] = StartFailed("exec: no such file", 127)
    with pytest.raises(InvalidParameterError):
        await world.starter.start(container)
    assert (await anext(removed)).exit_code == 127
    assert world.registry.get(container.id) is None
