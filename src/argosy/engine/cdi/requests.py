"""Which devices a container asks for, by ``--device vendor.com/class=name`` or ``DeviceRequests``. Pure (moby ``daemon/devices.go``)."""

from collections.abc import Sequence

from argosy.base.errors import SystemFailureError
from argosy.engine.cdi.names import is_qualified
from argosy.engine.model import HostConfig


def requested(host: HostConfig) -> list[str]:
    """Return qualified names. Raises SystemFailureError, in Docker's words, for a request that no driver here serves.

    GPUs are asked for by the driver ``nvidia`` (or none and the capability ``gpu``), which needs NVIDIA's own runtime hook in
    Docker; here they are to be asked for by their CDI names.
    """
    names = [device.path_on_host for device in host.devices or () if is_qualified(device.path_on_host)]
    for request in host.device_requests or ():
        if request.driver != "cdi":
            wanted = " ".join(f"[{' '.join(group)}]" for group in request.capabilities or ())
            raise SystemFailureError(f'could not select device driver "{request.driver}" with capabilities: [{wanted}]')
        names.extend(request.device_ids or ())
    return names


def unresolvable(names: Sequence[str]) -> SystemFailureError:
    return SystemFailureError(f"CDI device injection failed: unresolvable CDI devices {', '.join(names)}")
