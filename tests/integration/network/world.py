"""A host, an internet and containers, each a network namespace of the test's own: the machine's network is not touched."""

import asyncio
import contextlib
import hashlib
import ipaddress
import itertools
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy.base.clock import SystemClock
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.linux import netns
from argosy.linux.loopback import raise_loopback
from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import address as addresses
from argosy.linux.netlink import link as links
from argosy.network.admin import NetworkAdmin
from argosy.network.controller import Controller
from argosy.network.dns import message
from argosy.network.model import EndpointSettings, PortBinding, Sandbox, SandboxRequest
from argosy.network.settings import NetworkSettings

HOST4, INTERNET4 = "203.0.113.1", "203.0.113.2"
HOST6, INTERNET6 = "2001:db8::1", "2001:db8::2"
PATIENCE = 2.0


@dataclass
class Namespace:
    """Sockets are made inside and used from here."""

    fd: int

    def run(self, *command: str, check: bool = True) -> str:
        with netns.entered(self.fd):
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def nft(self, script: str) -> str:
        with netns.entered(self.fd):
            done = subprocess.run(["nft", "-f", "-"], input=script, capture_output=True, text=True, timeout=30)
        assert not done.returncode, done.stderr
        return done.stdout

    def listen(self, port: int, address: str = "0.0.0.0", kind: int = socket.SOCK_STREAM) -> socket.socket:
        with netns.entered(self.fd):
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        sock.settimeout(PATIENCE)
        return sock

    def call(self, address: str, port: int, timeout: float = PATIENCE) -> socket.socket:
        with netns.entered(self.fd):
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        try:
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def reach(self, address: str, port: int, server: socket.socket, timeout: float = PATIENCE) -> str:
        """Return the address from which the server sees us. Raises OSError when it cannot be reached."""
        with self.call(address, port, timeout) as client:
            peer, (source, *_) = server.accept()
            with peer:
                peer.sendall(b"hello")
                assert client.recv(16) == b"hello"
        return str(source)

    def pings(self, address: str) -> bool:
        with netns.entered(self.fd):
            done = subprocess.run(["busybox", "ping", "-c", "1", "-W", "1", address], capture_output=True, timeout=30)
        return done.returncode == 0

    def ask(
        self, name: str, kind: int = message.A, *, tcp: bool = False, server: str = "127.0.0.11", edns: int = 0
    ) -> tuple[int, list[str]]:
        """Return (rcode, answers as text) of a DNS question asked from inside."""
        data = message.query(4711, name, kind, edns_size=edns)
        reply = self.ask_raw(data, tcp=tcp, server=server)
        assert message.parse_id(reply) == 4711
        found = []
        for _, record, value in message.answers(reply):
            found.append(str(ipaddress.ip_address(value)) if record in (message.A, message.AAAA) else value.decode())
        return message.rcode(reply), found

    def ask_raw(self, data: bytes, *, tcp: bool = False, server: str = "127.0.0.11") -> bytes:
        if tcp:
            with self.call(server, 53) as sock:
                sock.sendall(len(data).to_bytes(2, "big") + data)
                size = int.from_bytes(sock.recv(2), "big")
                reply = b""
                while len(reply) < size:
                    reply += sock.recv(size - len(reply))
                return reply
        with netns.entered(self.fd):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with udp:
            udp.settimeout(8)
            udp.connect((server, 53))
            udp.send(data)
            return udp.recv(65535)


@dataclass
class Container(Namespace):
    id: str
    name: str
    process: "subprocess.Popen[bytes]"
    request: SandboxRequest | None = None
    sandbox: Sandbox | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def endpoint(self, network: str = "bridge"):
        assert self.sandbox is not None
        return self.sandbox.endpoints[network]

    @property
    def ip(self) -> str:
        assert self.sandbox is not None
        return next(iter(self.sandbox.endpoints.values())).ip_address

    def host_port(self, port: str = "80/tcp") -> int:
        assert self.sandbox is not None
        return int(self.sandbox.ports[port][0][1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class MemoryStore:
    """state.db, as far as networks use it."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    async def put(self, kind: str, id: str, value: bytes) -> None:
        self.objects[kind, id] = value

    async def delete(self, kind: str, id: str) -> None:
        self.objects.pop((kind, id), None)

    def load(self, kind: str) -> dict[str, bytes]:
        return {id: value for (found, id), value in self.objects.items() if found == kind}


@dataclass
class Daemon:
    """A controller with what it needs; `crash` and a new one on the same state are a restart."""

    id: str
    exec_root: Path
    settings: NetworkSettings
    store: MemoryStore = field(default_factory=MemoryStore)

    async def start(self, running: Mapping[str, tuple[int, SandboxRequest, Sandbox]] | None = None) -> "Daemon":
        clock = SystemClock()
        self.events = EventBus(clock)
        self.supervisor = Supervisor()
        self.controller = Controller(
            daemon_id=self.id,
            exec_root=str(self.exec_root),
            store=self.store,
            events=self.events,
            clock=clock,
            supervisor=self.supervisor,
            settings=self.settings,
        )
        self.admin = NetworkAdmin(catalogue=self.controller.catalogue, events=self.events, clock=clock)
        await self.controller.start()
        await self.controller.adopt(running or {})
        return self

    async def crash(self) -> None:
        """Go away as a killed daemon does: nothing is undone."""
        await self.supervisor.close()
        await self.controller.close()

    async def settle(self) -> None:
        """Wait for what goes on in the background."""
        while tasks := [
            task for task in self.supervisor._tasks if task.get_name().startswith(("remove ", "close ", "release ", "rename "))
        ]:
            await asyncio.wait(tasks)

    def table(self) -> str:
        return self.controller._table.name


@dataclass
class World:
    host: Namespace
    internet: Namespace
    tmp: Path
    containers: list[Container] = field(default_factory=list)
    daemons: list[Daemon] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def daemon(self, id: str = "d1d1d1d1", **settings: object) -> Daemon:
        root = self.tmp / id
        root.mkdir(exist_ok=True)
        resolv = self.tmp / "resolv.conf"
        if not resolv.exists():
            resolv.write_text(f"nameserver {INTERNET4}\n")
        found = Daemon(id, root, NetworkSettings(**{"resolv_conf": str(resolv), **settings}))  # type: ignore[arg-type]
        self.daemons.append(found)
        return await found.start()

    def container(self, name: str = "") -> Container:
        """Return a new namespace with a process in it, as the runtime prepares one."""
        number = next(self.numbers)
        fd = netns.create()
        with netns.entered(fd):
            raise_loopback()
            process = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
        found = Container(fd, hashlib.sha256(str(number).encode()).hexdigest(), name or f"c{number}", process)
        self.containers.append(found)
        return found

    async def run(self, daemon: Daemon, name: str = "", network: str | tuple[str, ...] = "bridge", **more: object) -> Container:
        container = self.container(name)
        await self.begin(daemon, container, network, **more)
        return container

    async def begin(self, daemon: Daemon, container: Container, network: str | tuple[str, ...] = "bridge", **more: object) -> None:
        names = (network,) if isinstance(network, str) else network
        settings = more.pop("settings", EndpointSettings())
        container.request = request(daemon, container, names, settings, **more)  # type: ignore[arg-type]
        container.sandbox = await daemon.controller.reserve(container.request)
        await daemon.controller.attach(container.id, container.pid)

    def running(self) -> dict[str, tuple[int, SandboxRequest, Sandbox]]:
        return {
            one.id: (one.pid, one.request, one.sandbox)
            for one in self.containers
            if one.fd >= 0 and one.request is not None and one.sandbox is not None
        }


def request(
    daemon: Daemon,
    container: Container,
    names: tuple[str, ...],
    settings: EndpointSettings | Mapping[str, EndpointSettings],
    **more: object,
) -> SandboxRequest:
    chosen = settings if isinstance(settings, Mapping) else dict.fromkeys(names, settings)
    ports = more.pop("ports", {})
    values: dict[str, object] = {
        "container_id": container.id,
        "name": container.name,
        "hostname": container.id[:12],
        "domainname": "",
        "endpoints": tuple((daemon.controller.find(name), chosen.get(name, EndpointSettings())) for name in names),
        "network_mode": names[0],
        "port_bindings": {port: tuple(PortBinding(*one) for one in bindings) for port, bindings in ports.items()},  # type: ignore[union-attr]
        "publish_all": False,
        "dns": (),
        "dns_search": (),
        "dns_options": (),
        "extra_hosts": (),
        "exposed_ports": tuple(ports),  # type: ignore[arg-type]
    }
    return SandboxRequest(**{**values, **more})  # type: ignore[arg-type]


def configure(fd: int, name: str, *texts: str) -> None:
    with netns.entered(fd), NetlinkSocket() as sock:
        sock.run([links.change_link("lo", up=True)])
        found = links.find_link(sock, name)
        assert found is not None
        interfaces = map(ipaddress.ip_interface, texts)
        sock.run(
            [*(addresses.add_address(found.index, one.ip, one.network.prefixlen) for one in interfaces), links.change_link(name, up=True)]
        )


def end_netd(lock: Path) -> None:
    """Kill the netd that holds this lock, if it is one."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(lock.read_text())
        if (
            b"/netd/__main__.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
            and str(lock.parent).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        ):
            os.kill(pid, signal.SIGKILL)


async def eventually(check: Callable[[], object], seconds: float = 8.0) -> None:
    """Wait until ``check()`` is true. Raises AssertionError when it does not become so."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not check():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.02)
