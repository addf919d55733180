"""Container Device Interface: devices that a vendor describes in files, ``--device vendor.com/class=name``.

https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md. `load` reads the files, `inject` is pure, `requested` says
what a container asked for.
"""

from argosy.engine.cdi.inject import inject
from argosy.engine.cdi.load import Registry, load
from argosy.engine.cdi.names import is_qualified
from argosy.engine.cdi.requests import requested

__all__ = ["Registry", "inject", "is_qualified", "load", "requested"]
