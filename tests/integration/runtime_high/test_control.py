"""Pause, update, sample, OOM."""

import asyncio
import os

from argosy.runtime.compile import probe_host

from .conftest import Bench


async def test_pause_and_resume(bench: Bench) -> None:
    shim = await bench.start("sh", "-c", "while :; do sleep 0.01; done")
    await shim.pause()
    assert shim.group.frozen()
    await shim.resume()
    assert not shim.group.frozen()
    await bench.kill(shim)


async def test_limits_can_be_changed_and_counters_read(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    await shim.update({"pids": {"limit": 77}})
    sample = shim.sample()
    assert sample["pids_stats"]["limit"] == 77
    assert sample["pids_stats"]["current"] == 1
    await bench.kill(shim)


async def test_oom_kill_is_told_and_recorded(bench: Bench) -> None:
    if not any("memory" in name for name in probe_host().cgroup_mounts) and "memory" not in probe_host().unified_controllers:
        return
    limit = {"memory": {"limit": 16 << 20, "swap": 16 << 20}}
    program = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"
    shim = await bench.start("sh", "-c", program, resources=limit)
    exited = await asyncio.wait_for(bench.exit(shim.id), 30)
    assert exited.record.oom_killed
    assert exited.record.exit_code == 137
    assert bench.ooms[:1] == [shim.id]


async def test_kill_all_reaches_every_process(bench: Bench) -> None:
    shim = await bench.start("sh", "-c", "sleep 1000 & sleep 1000 & wait")
    for _ in range(500):
        if len(shim.processes()) == 3:
            break
        await asyncio.sleep(0.01)
    pids = shim.processes()
    shim.kill_all()
    assert await bench.code(shim) == 137
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


async def test_orphans_in_the_hosts_pid_namespace_are_killed_and_reaped(bench: Bench) -> None:
    request = bench.request("sh", "-c", "(sleep 1000 &); exit 4")
    request.spec["linux"]["namespaces"] = [entry for entry in request.spec["linux"]["namespaces"] if entry["type"] != "pid"]
    shim = await bench.runtime.prepare(request)
    await shim.release()
    assert await bench.code(shim) == 4
    await shim.closed.wait()
    assert shim.processes() == []
    assert not shim.group.exists()
