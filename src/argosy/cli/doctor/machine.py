"""The machine as the probes see it: files and commands. A test gives them another one."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess

# A probe must never hang the doctor.
_TIMEOUT = 10


class Machine:
    """Reads below ``root`` and runs commands."""

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def path(self, path: str) -> str:
        return os.path.join(self._root, path.lstrip("/"))

    def read(self, path: str) -> str:
        """Return a file's text, ``""`` where it cannot be read."""
        try:
            with open(self.path(path), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def exists(self, path: str) -> bool:
        return os.path.exists(self.path(path))

    def names(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(self.path(path)))
        except OSError:
            return []

    def matches(self, pattern: str) -> list[str]:
        return sorted(glob.glob(self.path(pattern)))

    def release(self) -> str:
        return os.uname().release

    def is_root(self) -> bool:
        return os.geteuid() == 0

    def has(self, program: str) -> bool:
        return shutil.which(program) is not None

    def run(self, *command: str) -> tuple[int, str]:
        """Return exit status and both outputs; 127 for a program that is not there."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            return 127, str(error)
        return done.returncode, done.stdout + done.stderr

    def free(self, path: str) -> tuple[str, int, int]:
        """Return the nearest existing directory above a path with its free and total bytes."""
        while not os.path.isdir(self.path(path)) and path != "/":
            path = os.path.dirname(path)
        found = os.statvfs(self.path(path))
        return path, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def module(self, name: str) -> str:
        """Return ``loaded``, ``built in``, ``available`` (modprobe would load it) or ``""``."""
        plain = name.replace("-", "_")
        if self.exists(f"/sys/module/{plain}"):
            return "loaded"
        directory = f"/lib/modules/{self.release()}"
        for file, answer in (("modules.builtin", "built in"), ("modules.dep", "available")):
            for line in self.read(f"{directory}/{file}").splitlines():
                base = line.partition(":")[0].rpartition("/")[2].partition(".")[0].replace("-", "_")
                if base == plain:
                    return answer
        return ""
