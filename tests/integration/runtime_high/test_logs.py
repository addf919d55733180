"""Logs as the shim leaves them on disk."""

import gzip
import json
import os
import subprocess

import pytest

from .conftest import Bench, Client, attach_request

_LINES = 300_000


def read_all(path: str) -> bytes:
    directory, name = os.path.split(path)
    # What is being packed is still there as it was (docs/design/logs.md).
    rotated = [entry for entry in os.listdir(directory) if entry.startswith(name + ".") and entry != name + ".tmp.gz"]
    text = b""
    for entry in sorted(rotated, key=lambda entry: -int(entry.split(".")[1])):
        with open(os.path.join(directory, entry), "rb") as file:
            text += gzip.decompress(file.read()) if entry.endswith(".gz") else file.read()
    with open(path, "rb") as file:
        return text + file.read()


@pytest.mark.parametrize("compress", ["false", "true"])
async def test_rotation_loses_no_line(bench: Bench, compress: str) -> None:
    options = {"max-size": "1m", "max-file": "1000", "compress": compress}
    code, shim = await bench.run("seq", "1", str(_LINES), log_options=options)
    assert code == 0
    await shim.closed.wait()
    records = read_all(bench.log_path(shim.id)).splitlines()
    assert [json.loads(record)["log"] for record in records] == [f"{number}\n" for number in range(1, _LINES + 1)]
    times = [json.loads(record)["time"] for record in records]
    assert times == sorted(set(times))


async def test_default_limits_keep_the_disk(bench: Bench) -> None:
    code, shim = await bench.run("sh", "-c", "yes 0123456789012345678901234567890123456789 | head -c 60000000")
    assert code == 0
    directory = os.path.dirname(bench.log_path(shim.id))
    logs = [os.path.join(directory, name) for name in os.listdir(directory) if name.startswith("log")]
    assert len(logs) == 3
    assert sum(os.path.getsize(path) for path in logs) <= 3 * (10 << 20) + 3000


async def test_local_driver_holds_the_bytes(bench: Bench) -> None:
    code, shim = await bench.run("sh", "-c", "seq 1 1000; printf end >&2", log="local")
    assert code == 0
    with open(bench.log_path(shim.id), "rb") as file:
        text = file.read()
    assert b"1\n2\n3\n" in text
    assert text.count(b"end") == 1


async def test_output_of_a_full_disk_is_lost_but_the_program_goes_on(bench: Bench) -> None:
    own = os.path.join(bench.scratch, "small")
    os.makedirs(own)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", own], check=True)
    try:
        request = bench.request("sh", "-c", "yes | head -c 10000000; echo over >&2; exit 5", log_options={"max-size": "1g"})
        object.__setattr__(request.log, "path", os.path.join(own, "log"))
        shim = await bench.runtime.prepare(request)
        client = Client()
        await shim.attach(attach_request(stdout=False), client.given(), b"")
        await shim.release()
        assert b"over\n" in await client.read_all()
        assert await bench.code(shim) == 5
        with open(os.path.join(own, "log"), "rb") as file:
            for line in file:
                json.loads(line)
    finally:
        subprocess.run(["umount", own], check=True)


async def test_terminal_output_is_logged_as_stdout(bench: Bench) -> None:
    code, shim = await bench.run("sh", "-c", "echo one; echo two >&2", terminal=True)
    assert code == 0
    records = [json.loads(line) for line in bench.log(shim.id).splitlines()]
    assert [(record["stream"], record["log"]) for record in records] == [("stdout", "one\r\n"), ("stdout", "two\r\n")]
