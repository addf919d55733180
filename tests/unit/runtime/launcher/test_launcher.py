"""What the launcher loads, and its command line."""

import subprocess
import sys

from argosy.runtime.launcher.command import ROOM, command

_HEAVY = (
    *("re", "enum", "json", "asyncio", "dataclasses", "typing", "logging", "subprocess", "socket", "signal"),
    *("argosy.base.errors", "argosy.runtime.model"),
)


def test_launcher_loads_nothing_heavy() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import argosy.runtime.launcher.serve; print(*sys.modules)"
    source = command("id")[6].split(":")[0]
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code, source], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in _HEAVY if name in loaded] == []


def test_command_line_has_room_for_a_title() -> None:
    arguments = command("daemon", ("/a", "/b"), "some.module")
    assert arguments[1:3] == ["-I", "-S"]
    assert arguments[5] == "daemon"
    assert arguments[6].split(":")[1:] == ["/a", "/b"]
    assert arguments[7] == "some.module"
    assert len(arguments[-1]) == ROOM


def test_launcher_ends_with_its_socket() -> None:
    launcher = subprocess.Popen(command("test"), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    _, said = launcher.communicate(timeout=30)  # a pipe is no socket: it says so and ends
    assert launcher.returncode != 0
    assert b"Error" in said
