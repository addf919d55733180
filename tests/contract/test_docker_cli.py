"""The real docker CLI against an engine in memory: what it looks for in heads, streams, hijacked connections and errors."""

import asyncio
import os
import shutil
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from argosy.api.ports import Hijacked
from argosy.runtime.model import AttachRequest
from fakes.engine import container
from fakes.server import Api
from fakes.tls import listening_with_tls

pytestmark = pytest.mark.skipif(shutil.which("docker") is None, reason="the docker CLI is not installed")


async def docker(api: Api, *words: str, stdin: bytes | None = None, settings: Mapping[str, str] | None = None) -> tuple[int, bytes, bytes]:
    """Run the CLI and return (exit code, stdout, stderr)."""
    home = str(Path(api.path).parent)
    environment = {"PATH": os.environ["PATH"], "HOME": home, "DOCKER_HOST": f"unix://{api.path}", **(settings or {})}
    process = await asyncio.create_subprocess_exec(
        "docker",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin or b""), 20)
    assert process.returncode is not None
    return process.returncode, out, err


async def framed_echo(connection: Hijacked) -> None:
    """Play the shim with Docker's eight-byte frame headers; input comes back on stdout, its end is told on stderr."""
    fd, first = await connection.take(multiplexed=True)
    loop = asyncio.get_running_loop()
    with socket.socket(fileno=fd) as peer:
        peer.setblocking(False)
        data = first
        while data or (data := await loop.sock_recv(peer, 1 << 16)):
            await loop.sock_sendall(peer, struct.pack(">BxxxI", 1, len(data)) + data)
            data = b""
        await loop.sock_sendall(peer, struct.pack(">BxxxI", 2, 4) + b"end\n")


@pytest.fixture
def shimmed(api: Api) -> Api:
    async def attach(ref: str, request: AttachRequest, connection: Hijacked, *, stream: bool, logs: bool) -> None:
        await framed_echo(connection)
        api.containers.released.set()

    async def start(exec_id: str, *, connection: Hijacked | None, **_: object) -> None:
        if connection is not None:
            await framed_echo(connection)

    api.containers.attach = attach  # type: ignore[method-assign]
    api.execs.start = start  # type: ignore[method-assign,assignment]
    return api


async def test_exec_with_piped_input_gets_all_output_after_the_end_of_input(shimmed: Api) -> None:
    for data in (b"", b"hello\n", bytes(range(256)) * 40_000):
        _, out, err = await docker(shimmed, "exec", "-i", "web", "cat", stdin=data)
        assert (out == data, err) == (True, b"end\n")


async def test_exec_over_tls_gets_all_output_after_the_end_of_input(shimmed: Api, tmp_path: Path) -> None:
    tls = await listening_with_tls(shimmed, tmp_path)
    settings = {"DOCKER_HOST": f"tcp://127.0.0.1:{tls.port}", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": tls.client_directory}
    for data in (b"", b"hello\n", bytes(range(256)) * 40_000):
        code, out, err = await docker(shimmed, "exec", "-i", "web", "cat", stdin=data, settings=settings)
        assert (out == data, err) == (True, b"end\n"), (code, len(out), err)


async def test_run_attaches_waits_starts_and_tells_the_exit_code(shimmed: Api) -> None:
    view = container()
    shimmed.containers.views[view.spec.id] = view
    code, out, err = await docker(shimmed, "run", "-i", "busybox", "cat", stdin=b"some input")
    assert (code, out) == (3, b"some input")
    assert err.endswith(b"end\n")
    assert [call[0] for call in shimmed.containers.calls if call[0] in ("create", "wait", "start")] == ["create", "wait", "start"]


async def test_ps_inspect_and_version_read_our_answers(api: Api) -> None:
    code, out, _ = await docker(api, "ps", "-a", "--no-trunc", "--format", "{{.Names}}|{{.Status}}|{{.Ports}}|{{.Command}}")
    assert code == 0
    assert out.decode().strip() == ("web|Up 10 seconds (healthy)|81/udp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp|\"sleep 300 'a b'\"")
    code, out, _ = await docker(api, "inspect", "-f", "{{.State.Status}} {{.NetworkSettings.IPAddress}} {{.HostConfig.Memory}}", "web")
    assert (code, out) == (0, b"running 172.17.0.2 67108864\n")
    code, out, _ = await docker(api, "version", "-f", "{{.Server.Version}} {{.Server.MinAPIVersion}}")
    assert (code, out) == (0, b"0.1.0 1.24\n")


async def test_verbs_that_ask_and_list_are_understood(api: Api) -> None:
    for words in (
        ("images",),
        ("image", "inspect", "busybox"),
        ("history", "busybox"),
        ("network", "ls"),
        ("network", "inspect", "bridge"),
        ("volume", "ls"),
        ("volume", "inspect", "vol"),
        ("system", "df"),
        ("system", "df", "-v"),
        ("info",),
        ("top", "web"),
        ("diff", "web"),
        ("port", "web"),
        ("stats", "--no-stream", "web"),
        ("events", "--until", "1s"),
        ("rename", "web", "x"),
        ("update", "--memory", "64m", "web"),
        ("tag", "busybox", "x"),
        ("commit", "web", "x"),
        ("volume", "create"),
        ("network", "create", "n"),
        ("container", "prune", "-f"),
        ("image", "prune", "-f"),
        ("rmi", "busybox"),
        ("cp", "web:/x", "-"),
    ):
        code, _, err = await docker(api, *words)
        assert code == 0, (words, err)


async def test_load_import_and_save_stream(api: Api) -> None:
    code, out, _ = await docker(api, "load", stdin=b"tar" * 1000)
    assert (code, out, api.images.received) == (0, b"Loaded image: busybox:latest\n", 3000)
    code, _, _ = await docker(api, "import", "-", "x:y", stdin=b"tar")
    assert code == 0
    code, out, _ = await docker(api, "save", "busybox")
    assert (code, out) == (0, b"tar")


async def test_errors_are_shown_in_our_words(api: Api) -> None:
    _, _, err = await docker(api, "start", "nope")
    assert b"Error response from daemon: No such container: nope" in err
    _, _, err = await docker(api, "pull", "nginx")
    assert b"pull access denied for" in err
    _, _, err = await docker(api, "node", "ls")
    assert b"This node is not a swarm manager" in err
    code, _, err = await docker(api, "logs", "nope")
    assert code == 1
    assert b"No such container: nope" in err
