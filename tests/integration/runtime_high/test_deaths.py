"""The daemon, the launcher and the shim killed with SIGKILL."""

import asyncio
import json
import os
import signal
import subprocess
import sys

from argosy.base.ids import new_id
from argosy.base.tasks import Supervisor
from argosy.runtime.client import ShimHandle, ShimRuntime
from argosy.runtime.client.runtime import SHIM_KILLED
from argosy.runtime.model import ExitRecord

from .conftest import Bench, Client, attach_request, exec_request, frames

_HERE = os.path.dirname(os.path.abspath(__file__))


def start_daemon(bench: Bench, container_id: str, mode: str, *args: str, log: str = "json-file") -> tuple["subprocess.Popen[str]", int]:
    daemon = subprocess.Popen(
        [sys.executable, os.path.join(_HERE, "daemon.py"), bench.scratch, bench.parent, container_id, mode, log, *args],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert daemon.stdout is not None
    return daemon, int(daemon.stdout.readline())


def kill(daemon: "subprocess.Popen[str]") -> None:
    daemon.kill()
    daemon.communicate()


async def gone(pid: int) -> None:
    for _ in range(1000):
        if not os.path.exists(f"/proc/{pid}"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"process {pid} is still there")


def shim_pid(bench: Bench, container_id: str) -> int:
    with open(os.path.join(bench.scratch, "exec", "containers", container_id, "shim.json")) as file:
        return int(json.load(file)["shim"])


async def test_killed_daemon_loses_neither_output_nor_exit_code(bench: Bench) -> None:
    container_id = new_id()
    program = "while [ ! -e /go ]; do sleep 0.01; done; seq 1 50000; exit 11"
    daemon, pid = start_daemon(bench, container_id, "running", "sh", "-c", program)
    kill(daemon)
    shim = shim_pid(bench, container_id)
    with open(f"/proc/{pid}/root/go", "w"):
        pass
    await gone(shim)
    record = await bench.runtime.adopt(container_id)
    assert isinstance(record, ExitRecord)
    assert record.exit_code == 11
    lines = [json.loads(line)["log"] for line in bench.log(container_id).splitlines()]
    assert lines == [f"{number}\n" for number in range(1, 50001)]


async def test_running_container_is_adopted_and_stays_usable(bench: Bench) -> None:
    container_id = new_id()
    daemon, pid = start_daemon(bench, container_id, "running", "sh", "-c", "sleep 1000; exit 3")
    kill(daemon)
    shim = await bench.runtime.adopt(container_id)
    assert isinstance(shim, ShimHandle)
    assert shim.pid == pid
    client = Client()
    request = exec_request("echo", "hi", attach=attach_request())
    await shim.exec(request, client.given(), b"")
    assert frames(await client.read_all())[1] == b"hi\n"
    assert pid in shim.processes()
    await bench.kill(shim)
    assert (await bench.code(shim)) == 137


async def test_daemon_killed_before_the_release_leaves_nothing(bench: Bench) -> None:
    container_id = new_id()
    daemon, pid = start_daemon(bench, container_id, "prepared", "sleep", "1000")
    shim = shim_pid(bench, container_id)
    kill(daemon)
    await gone(pid)
    await gone(shim)
    assert await bench.runtime.adopt(container_id) is None
    assert bench.runtime.known() == []


async def test_exec_code_is_kept_for_the_next_daemon(bench: Bench) -> None:
    container_id = new_id()
    daemon, pid = start_daemon(bench, container_id, "running", "sleep", "1000")
    kill(daemon)
    shim = await bench.runtime.adopt(container_id)
    assert isinstance(shim, ShimHandle)
    request = exec_request("sh", "-c", "while [ ! -e /go ]; do sleep 0.01; done; exit 6")
    await shim.exec(request, None, b"")
    await bench.runtime.close()
    with open(f"/proc/{pid}/root/go", "w"):
        pass
    supervisor = Supervisor()
    bench.exits.clear()
    bench.listen(ShimRuntime(exec_root=os.path.join(bench.scratch, "exec"), daemon_id="test", supervisor=supervisor))
    shim = await bench.runtime.adopt(container_id)
    assert isinstance(shim, ShimHandle)
    assert await bench.code(shim, request.exec_id) == 6
    await bench.kill(shim)


async def test_killed_launcher_is_replaced_and_nobody_notices(bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    first = bench.runtime.launcher.pid
    os.kill(first, signal.SIGKILL)
    await gone(first)
    code, _ = await bench.run("sh", "-c", "exit 2")
    assert code == 2
    assert bench.runtime.launcher.pid != first
    assert os.path.exists(f"/proc/{shim.pid}")
    await bench.kill(shim)


async def test_launcher_killed_while_containers_start(bench: Bench) -> None:
    starts = [asyncio.ensure_future(bench.run("true")) for _ in range(12)]
    for _ in range(4):
        await asyncio.sleep(0.02)
        if bench.runtime.launcher.pid:
            os.kill(bench.runtime.launcher.pid, signal.SIGKILL)
    assert [code for code, _ in await asyncio.gather(*starts)] == [0] * 12


async def test_killed_shim_takes_its_container_along(bench: Bench) -> None:
    shim = await bench.start("sh", "-c", "sleep 1000 & sleep 1000")
    request = exec_request("sleep", "1000")
    await shim.exec(request, None, b"")
    inside = shim.processes()
    os.kill(shim_pid(bench, shim.id), signal.SIGKILL)
    record = (await asyncio.wait_for(bench.exit(shim.id), 30)).record
    assert (record.exit_code, record.error) == (137, SHIM_KILLED)
    assert await bench.code(shim, request.exec_id) == 137
    for pid in inside:
        await gone(pid)
    assert isinstance(await bench.runtime.adopt(shim.id), ExitRecord)


async def test_shim_killed_while_the_daemon_was_away(bench: Bench) -> None:
    container_id = new_id()
    daemon, pid = start_daemon(bench, container_id, "running", "sleep", "1000")
    kill(daemon)
    os.kill(shim_pid(bench, container_id), signal.SIGKILL)
    record = await bench.runtime.adopt(container_id)
    assert isinstance(record, ExitRecord)
    assert (record.exit_code, record.error) == (137, SHIM_KILLED)
    await gone(pid)


async def test_client_goes_on_while_the_daemon_is_dead(bench: Bench) -> None:
    shim = await bench.start("cat", open_stdin=True, stdin_once=True)
    client = Client()
    await shim.attach(attach_request(stdin=True), client.given(), b"")
    await bench.runtime.close()
    await client.send(b"still here\n")
    client.half_close()
    assert frames(await client.read_all())[1] == b"still here\n"
    assert isinstance(await bench.runtime.adopt(shim.id), ExitRecord | ShimHandle)
