"""Is this a container that can be made here? Pure checks of what a client sent, in Docker 28's words and with its statuses.

Docker answers 500 to some requests that are plainly the client's fault (a malformed ``-v``, an unknown security option); where a
running Docker 28 was seen to do so, `SystemFailureError` is raised here too.
"""

from argosy.engine.validate.container import Limits, at_create, at_update, storage_size
from argosy.engine.validate.mounts import mount_points
from argosy.engine.validate.resources import check_resources, supported

__all__ = ["Limits", "at_create", "at_update", "check_resources", "mount_points", "storage_size", "supported"]
