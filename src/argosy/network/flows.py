"""UDP flows that would go on to where a port led before.

Packet rules are asked about new flows only, and a flow is as long as packets come: a client that keeps its port and does not stop
would go on to the address of a container that is gone, or to the host where there was no container yet (moby#8795).
"""

from collections.abc import Iterable

from argosy.base.tasks import Supervisor
from argosy.linux.netlink import conntrack
from argosy.network.kernel import KernelThread
from argosy.network.publish import Published


class Flows:
    def __init__(self, kernel: KernelThread, supervisor: Supervisor) -> None:
        self._kernel = kernel
        self._supervisor = supervisor

    def forget(self, ports: Iterable[Published]) -> None:
        """Let flows to these ports be new ones, in the background; to be called once the rules say where they lead."""
        numbers = frozenset(port.host_port for port in ports if port.proto == "udp")
        if numbers:
            self._supervisor.spawn(self._kernel.run_slow(conntrack.forget_udp, numbers), name="forget flows")
