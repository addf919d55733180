"""The code blocks of README.md and docs/*.md do what they say.

- A block ```sh is a script: it must succeed.
- A block ```console is a session: `$ ` begins a command, the lines after it are its output. `...` stands for any text; a command without
  output lines may print what it likes. Each command must succeed, unless its output begins with `Error` or `argosy:`.
- `<!-- not run: REASON -->` on a line of its own before a block skips it; other languages are not run.

The blocks of one document run in order against one daemon that has the image busybox, in that daemon's network, in an empty folder.
`<!-- on this machine's network -->` on a line of its own gives the document a daemon that reaches what this machine reaches, with a bridge
of its own.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.images import busybox

HERE = Path(__file__).resolve().parents[2]
DOCUMENTS = [HERE / "README.md", *sorted((HERE / "docs").glob("*.md")), *sorted((HERE / "examples").glob("*/README.md"))]
OUTSIDE = "<!-- on this machine's network -->\n"
BLOCK = re.compile(r"(?:^<!-- not run: (?P<why>.*?) -->\n+)?^```(?P<kind>sh|console)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    document: Path
    line: int
    kind: str
    text: str
    why_not: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(HERE)}:{self.line}"


def blocks() -> list[Block]:
    """Return all blocks of all documents in order."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text() if document.exists() else ""
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("kind")) + 1
            found.append(Block(document, line, match["kind"], match["text"], match["why"] or ""))
    return found


@pytest.fixture(scope="session")
def place(root: None) -> Iterator[Path]:
    """A folder for the daemons of the documents."""
    if busybox() is None:
        pytest.skip("needs busybox-static")
    with tempfile.TemporaryDirectory(prefix="argosy-docs-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def serving(place: Path) -> Iterator[dict[Path, Daemon]]:
    """Document → its daemon, started when its first block runs."""
    running: dict[Path, Daemon] = {}
    try:
        yield running
    finally:
        for document, daemon in running.items():
            end(document, daemon, place)


def end(document: Path, daemon: Daemon, place: Path) -> None:
    """Take a document's daemon away, and first what its blocks have left running: they work in its folder."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(folder / "cwd").startswith(f"{place / document.stem}/"):
                os.kill(int(folder.name), signal.SIGKILL)
    daemon.destroy()


def daemon_of(document: Path, place: Path, serving: dict[Path, Daemon]) -> tuple[Daemon, Path]:
    """Return the document's daemon and its folder; those of other documents end."""
    for other in [path for path in serving if path != document]:
        end(other, serving.pop(other), place)
    folder = place / document.stem
    if document not in serving:
        serving[document] = Daemon(place / f"d-{document.stem}", own_network=OUTSIDE not in document.read_text())
        serving[document].start()
        serving[document].import_busybox()
        (folder / "work").mkdir(parents=True, exist_ok=True)
    return serving[document], folder / "work"


def run(script: str, daemon: Daemon, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a user of that daemon."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {
        "PATH": path,
        "HOME": str(folder.parent),
        "ARGOSY_HOST": daemon.host,
        "DOCKER_HOST": daemon.host,
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "120",
    }
    command = ["bash", "-euo", "pipefail", "-c", script]
    return daemon.run_inside(
        command,
        check=False,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        capture_output=False,
        timeout=600,
    )


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a session with the output that is written down for each."""
    command: list[str] = []
    output: list[str] = []
    for line in text.splitlines():
        if line.startswith(("$ ", "# ")):
            if command:
                yield "\n".join(command), "\n".join(output)
            command, output = [line[2:]], []
        elif command and command[-1].endswith("\\"):
            command.append(line.removeprefix("> "))
        else:
            output.append(line)
    if command:
        yield "\n".join(command), "\n".join(output)


def says(expected: str, seen: str) -> bool:
    """Tell whether the output is what is written, where `...` is any text and runs of blanks are one."""

    def even(text: str) -> str:
        return "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.strip().splitlines())

    return re.fullmatch(".*".join(re.escape(part) for part in even(expected).split("...")), even(seen), re.S) is not None


@pytest.mark.root
@pytest.mark.timeout(660)
@pytest.mark.parametrize("block", blocks(), ids=str)
def test_block(block: Block, place: Path, serving: dict[Path, Daemon]) -> None:
    if block.why_not:
        pytest.skip(block.why_not)
    daemon, folder = daemon_of(block.document, place, serving)
    if block.kind == "sh":
        done = run(block.text, daemon, folder)
        assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}"
        return
    for command, expected in commands(block.text):
        done = run(command, daemon, folder)
        assert done.returncode == 0 or expected.startswith(("Error", "argosy:")), f"$ {command}\nstatus {done.returncode}\n{done.stdout}"
        assert not expected.strip() or says(expected, done.stdout), f"$ {command}\n{done.stdout}\nis not\n{expected}"
