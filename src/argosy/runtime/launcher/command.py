"""The command line with which a daemon starts a launcher."""

import os
import sys

ROOM = 160
"""Bytes of argument area that a process title may need: ``argosy-shim`` and an id of 64 digits."""

_SCRIPT = "import sys; sys.path[:0] = sys.argv[2].split(chr(58)); from argosy.runtime.launcher.serve import main; main(sys.argv[1:])"


def command(daemon_id: str, paths: "tuple[str, ...]" = (), preload: str = "") -> list[str]:
    """Return the arguments. ``paths``: where modules are found besides the standard library (the package itself is).

    ``-I -S``: neither the environment nor site-packages nor .pth files of the host can bring code into it. ``preload`` is a
    module to load before the first fork (for workers).
    """
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    return [sys.executable, "-I", "-S", "-c", _SCRIPT, daemon_id, ":".join((source, *paths)), preload, " " * ROOM]
