"""A daemon to be killed: publishes one port for one container after another, for ever; each dies with it."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from argosy.base.clock import SystemClock
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.linux import netns
from argosy.network.controller import Controller
from argosy.network.model import EndpointSettings, PortBinding, SandboxRequest
from argosy.network.settings import NetworkSettings


class FileStore:
    """Objects in one file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._objects: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    async def put(self, kind: str, id: str, value: bytes) -> None:
        self._objects[f"{kind} {id}"] = value.decode()
        self._write()

    async def delete(self, kind: str, id: str) -> None:
        self._objects.pop(f"{kind} {id}", None)
        self._write()

    def load(self, kind: str) -> dict[str, bytes]:
        return {key.split(" ")[1]: value.encode() for key, value in self._objects.items() if key.startswith(kind + " ")}

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._objects))
        os.replace(fresh, self._path)


async def main(state: Path) -> None:
    (state / "exec").mkdir(exist_ok=True)
    clock = SystemClock()
    (state / "resolv.conf").write_text("")
    controller = Controller(
        daemon_id="victim00",
        exec_root=str(state / "exec"),
        store=FileStore(state / "store.json"),
        events=EventBus(clock),
        clock=clock,
        supervisor=Supervisor(),
        settings=NetworkSettings(resolv_conf=str(state / "resolv.conf")),
    )
    await controller.start()
    await controller.adopt({})
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    number = 0
    while True:
        number += 1
        fd = netns.create()
        with netns.entered(fd):
            sleeper = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        os.close(fd)
        id = f"{number:064x}"
        request = SandboxRequest(
            container_id=id,
            name=f"v{number}",
            hostname=id[:12],
            domainname="",
            endpoints=((controller.find("bridge"), EndpointSettings()),),
            network_mode="bridge",
            port_bindings={"80/tcp": (PortBinding("", "8090"),)},
            publish_all=False,
            dns=(),
            dns_search=(),
            dns_options=(),
            extra_hosts=(),
            exposed_ports=("80/tcp",),
        )
        await controller.reserve(request)
        await controller.attach(id, sleeper.pid)
        sleeper.kill()
        sleeper.wait()
        await controller.release(id)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
