"""A daemon to be killed: starts one container by the arguments on its command line and waits for its own end.

``daemon.py SCRATCH PARENT ID MODE LOG ARGS…``; MODE is how far it goes: ``prepared`` or ``running``. Prints the pid of init.
"""

import asyncio
import sys

from argosy.base.tasks import Supervisor
from argosy.runtime.client import ShimRuntime
from conftest import Bench  # type: ignore[import-not-found]


async def main() -> None:
    scratch, parent, container_id, mode, log, *args = sys.argv[1:]
    runtime = ShimRuntime(exec_root=scratch + "/exec", daemon_id="test", supervisor=Supervisor())
    bench = Bench(scratch, runtime, parent)
    shim = await runtime.prepare(bench.request(*args, id=container_id, log=log))
    if mode == "running":
        await shim.release()
    print(shim.pid, flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
