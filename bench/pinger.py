"""Asks an engine `_ping` every few milliseconds until its input ends, then prints the milliseconds that each answer took, as JSON.

A process of its own, before others on the processor where it may: neither who moves the bytes of a load or a pull nor a busy
machine shall keep it from looking at the clock.
"""

import contextlib
import json
import os
import select
import sys
import time

from wire import Wire

PAUSE = 0.005


def main() -> None:
    """Ping the socket named by the first argument."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    wire = Wire(sys.argv[1], timeout=60)
    wire.request("GET", "/_ping").expect(200)
    print("ready", flush=True)
    times = []
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        begun = time.perf_counter()
        wire.request("GET", "/_ping").expect(200)
        times.append((time.perf_counter() - begun) * 1e3)
    print(json.dumps(times))


if __name__ == "__main__":
    main()
