"""Reading container logs back: ``docker logs`` for the drivers that keep files, whole, from the end, and while they grow.

`read_logs` is the door, `Past` that of an attach; `LogWatch` tells followers that a file changed, one for the daemon.
"""

from argosy.engine.logs.past import Past
from argosy.engine.logs.query import LogQuery
from argosy.engine.logs.read import Ended, read_logs
from argosy.engine.logs.watch import LogWatch

__all__ = ["Ended", "LogQuery", "LogWatch", "Past", "read_logs"]
