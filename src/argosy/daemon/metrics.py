"""``--metrics-addr``: Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/) with dockerd's names."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.engine.model import State, Status
from argosy.engine.registry import Registry
from argosy.engine.system import SystemService

_HEAD = "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
_KIND = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST_LIMIT = 1 << 16
_REQUEST_SECONDS = 10


def exposition(version: Mapping[str, str], info: Mapping[str, object], states: Iterable[State]) -> str:
    """Return the metrics of one moment."""
    counts = Counter(state.status for state in states)
    running = counts[Status.RUNNING] + counts[Status.RESTARTING]
    rows = {"paused": counts[Status.PAUSED], "running": running, "stopped": sum(counts.values()) - running - counts[Status.PAUSED]}
    healthy = Counter(state.health.status for state in states if state.health is not None)
    labels = ",".join(f'{name}="{value}"' for name, value in version.items())
    lines = [
        "# HELP engine_daemon_container_states_containers The count of containers in various states",
        "# TYPE engine_daemon_container_states_containers gauge",
        *(f'engine_daemon_container_states_containers{{state="{name}"}} {count}' for name, count in rows.items()),
        "# HELP engine_daemon_health_status_containers The count of containers by the verdict of their health check",
        "# TYPE engine_daemon_health_status_containers gauge",
        *(f'engine_daemon_health_status_containers{{status="{name}"}} {healthy[name]}' for name in ("healthy", "starting", "unhealthy")),
        "# HELP engine_daemon_engine_cpus_cpus The number of cpus that the host system of the engine has",
        "# TYPE engine_daemon_engine_cpus_cpus gauge",
        f"engine_daemon_engine_cpus_cpus {info['NCPU']}",
        "# HELP engine_daemon_engine_memory_bytes The number of bytes of memory that the host system of the engine has",
        "# TYPE engine_daemon_engine_memory_bytes gauge",
        f"engine_daemon_engine_memory_bytes {info['MemTotal']}",
        "# HELP engine_daemon_engine_info The information related to the engine and the OS it is running on",
        "# TYPE engine_daemon_engine_info gauge",
        f"engine_daemon_engine_info{{{labels}}} 1",
    ]
    return "\n".join(lines) + "\n"


class Metrics:
    """A listener of its own, as dockerd's: it serves nothing but ``/metrics``."""

    def __init__(self, *, system: SystemService, registry: Registry) -> None:
        self._system = system
        self._registry = registry
        self._server: asyncio.Server | None = None

    async def listen(self, address: str) -> None:
        """Serve ``HOST:PORT``. Raises InvalidParameterError or SystemFailureError."""
        host, colon, port = address.rpartition(":")
        if not colon or not port.isdecimal():
            raise InvalidParameterError(f"invalid metrics-addr: {address}: use ADDRESS:PORT")
        try:
            self._server = await asyncio.start_server(self._serve, host.strip("[]") or None, int(port), limit=_REQUEST_LIMIT)
        except OSError as error:
            raise SystemFailureError(f"cannot serve metrics on {address}: {error.strerror}") from error

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                found = head.startswith((b"GET /metrics ", b"GET /metrics?"))
                body = (await self._text()).encode() if found else b"404 page not found\n"
                status = "200 OK" if found else "404 Not Found"
                writer.write(_HEAD.format(status=status, kind=_KIND, length=len(body)).encode() + body)
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return
        finally:
            writer.close()

    async def _text(self) -> str:
        info = await self._system.info()
        version = {
            "architecture": str(info["Architecture"]),
            "daemon_id": str(info["ID"]),
            "graphdriver": str(info["Driver"]),
            "kernel": str(info["KernelVersion"]),
            "os": str(info["OperatingSystem"]),
            "version": str(info["ServerVersion"]),
        }
        return exposition(version, info, [container.state for container in self._registry])
