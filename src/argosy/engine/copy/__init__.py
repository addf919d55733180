"""Files of a container, in and out: ``docker cp`` and ``docker export``.

A running container is worked on as its own processes see it (``/proc/PID/root``), a stopped one through its snapshot with
volumes and bind mounts grafted in. Workers do the work, confined to that tree; here is who, where, and Docker's words.
"""

from argosy.engine.copy.archive import get_archive, put_archive
from argosy.engine.copy.place import Place
from argosy.engine.copy.stat import encode_stat, stat_path

__all__ = ["Place", "encode_stat", "get_archive", "put_archive", "stat_path"]
