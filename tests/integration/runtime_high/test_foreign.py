"""Containers given to runc, and what crun says on a machine whose cgroups it cannot use."""

import json
import os
import shutil
from typing import Any

import pytest

from argosy.runtime.compile import probe_host
from argosy.runtime.model import StartFailed, StartRequest

from .conftest import Bench, Client, attach_request, exec_request, frames

RUNC = shutil.which("runc") or ""
CRUN = shutil.which("crun") or ""
needs_runc = pytest.mark.skipif(not RUNC, reason="runc is not installed")


def request(bench: Bench, runtime: str, *args: str, **changes: Any) -> StartRequest:
    made = bench.request(*args, runtime=runtime, **changes)
    made.spec["process"]["capabilities"] = {}
    return made


@needs_runc
async def test_runc_start_log_attach_and_code(bench: Bench) -> None:
    shim = await bench.runtime.prepare(request(bench, RUNC, "sh", "-c", "read a; echo got $a; exit 9", open_stdin=True, stdin_once=True))
    client = Client()
    await shim.attach(attach_request(stdin=True), client.given(), b"word\n")
    await shim.release()
    assert frames(await client.read_all())[1] == b"got word\n"
    assert await bench.code(shim) == 9
    assert json.loads(bench.log(shim.id))["log"] == "got word\n"
    await bench.runtime.forget(shim.id)
    assert bench.runtime.known() == []


@needs_runc
async def test_runc_exec_signal_and_sample(bench: Bench) -> None:
    shim = await bench.runtime.prepare(request(bench, RUNC, "sleep", "1000"))
    await shim.release()
    client = Client()
    run = exec_request("sh", "-c", "cat; exit 4", attach=attach_request(stdin=True))
    await shim.exec(run, client.given(), b"in")
    client.half_close()
    assert frames(await client.read_all())[1] == b"in"
    assert await bench.code(shim, run.exec_id) == 4
    assert shim.pid in shim.processes()
    assert "pids_stats" in shim.sample()
    await bench.kill(shim)
    assert bench.exit(shim.id).result().record.exit_code == 137


@needs_runc
async def test_runc_terminal(bench: Bench) -> None:
    shim = await bench.runtime.prepare(request(bench, RUNC, "sh", terminal=True, open_stdin=True, console_size=(24, 80)))
    client = Client()
    await shim.attach(attach_request(stdin=True, multiplexed=False), client.given(), b"")
    await shim.release()
    await client.send(b"stty size; exit 2\n")
    await client.read_until(b"24 80\r\n")
    await client.read_all()
    assert await bench.code(shim) == 2


@needs_runc
async def test_runc_says_why_a_program_cannot_start(bench: Bench) -> None:
    with pytest.raises(StartFailed, match="executable file not found") as failed:
        shim = await bench.runtime.prepare(request(bench, RUNC, "nosuch"))
        await shim.release()
    assert failed.value.code == 127


async def test_runtime_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(StartFailed, match="no such file"):
        await bench.runtime.prepare(request(bench, "/nonexistent/runtime", "true"))
    assert bench.runtime.known() == []


@pytest.mark.skipif(not CRUN, reason="crun is not installed")
async def test_crun_works_or_says_why_not(bench: Bench) -> None:
    try:
        shim = await bench.runtime.prepare(request(bench, CRUN, "sh", "-c", "exit 3"))
        await shim.release()
    except StartFailed as failed:
        assert probe_host().cgroup_mode == "hybrid"
        assert "cgroup" in str(failed)
        assert not os.path.exists(os.path.join(bench.scratch, "exec", "containers", "bundle"))
        return
    assert await bench.code(shim) == 3
