#!/usr/bin/env python3
"""Time `RUNTIME run` of one bundle with OCI runtimes side by side, as root.

    bench/runtimes.py runc crun .venv/bin/argosy-runtime

The first is what the others are divided by. The programs take turns, another one first in each round; once back to back, once
with a pause before each, because on cgroup v1 whoever joins a cgroup within some 20 ms of another does not wait for the kernel
(the pause is how single containers are started). crun refuses hosts with both versions of cgroups mounted: there it all runs in
a mount namespace without the second one.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UNIFIED = "/sys/fs/cgroup/unified"
PAUSES = (0.0, 0.06)


def make_bundle(folder: Path) -> None:
    """Write a bundle whose program is `true` of a static busybox, with runc's own example as its configuration."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise SystemExit("a static busybox is needed")
    (folder / "rootfs/bin").mkdir(parents=True)
    shutil.copy(busybox, folder / "rootfs/bin/true")
    subprocess.run(["runc", "spec"], cwd=folder, check=True)
    config = json.loads((folder / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["true"]}
    # Some runtimes make missing mount points, in a root that they may write to.
    config["root"]["readonly"] = False
    (folder / "config.json").write_text(json.dumps(config))


def once(program: str, folder: Path, name: str) -> float:
    """Return the milliseconds of one run. Raises CalledProcessError."""
    state = folder / f"state-{Path(program).name}"
    begun = time.perf_counter()
    subprocess.run([program, "--root", state, "run", "--bundle", folder, name], stdin=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1000


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    if os.path.ismount(UNIFIED):
        os.execvp("unshare", ["unshare", "--mount", "sh", "-c", f'umount {UNIFIED} && exec "$@"', "sh", sys.executable, *sys.argv])
    programs: list[str] = options.programs
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_bundle(folder)
        for pause in PAUSES:
            times: dict[str, list[float]] = {program: [] for program in programs}
            for number in range(options.rounds + 1):
                turn = number % len(programs)
                for program in programs[turn:] + programs[:turn]:
                    time.sleep(pause)
                    spent = once(program, folder, f"bench-{os.getpid()}-{number}")
                    if number:
                        times[program].append(spent)
            first = statistics.median(times[programs[0]])
            print(f"pause {pause * 1000:.0f} ms")
            for program, values in times.items():
                middle, slow = statistics.median(values), sorted(values)[len(values) * 9 // 10]
                print(f"  {Path(program).name:16} p50 {middle:6.1f} ms   p90 {slow:6.1f} ms   {middle / first:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
