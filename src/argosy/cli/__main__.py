"""The ``argosy`` program."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command that ``sys.argv`` asks for and return its exit status."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-v"]):
        # Nothing is worth loading for this.
        from argosy import __version__

        sys.stdout.write(f"Argosy version {__version__}\n")
        return 0
    from argosy.cli.program import run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
