"""The official docker command line as a test drives it, and the engine it talks to."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.daemon import Api


@dataclass(frozen=True)
class Engine:
    """Where an engine listens and in which network namespace it lives ('' for ours)."""

    host: str
    netns: str

    @property
    def api(self) -> Api:
        """Return a client that is none of those on trial."""
        return Api(Path(self.host.removeprefix("unix://")))

    def inside(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a host program where the engine's published ports are."""
        enter = ["nsenter", f"--net={self.netns}"] if self.netns else []
        return subprocess.run([*enter, *command], **{"text": True, "capture_output": True, "timeout": 60} | options)


class Docker:
    """The official command line on one engine; ``run`` returns what it printed, ``fails`` what it complained of."""

    def __init__(self, program: str, engine: Engine, home: Path, mark: str) -> None:
        self.program = program
        self.engine = engine
        self.mark = mark
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(home), "DOCKER_HOST": engine.host, "LC_ALL": "C", "TERM": "xterm"}

    def do(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run it and return everything."""
        defaults = {"text": True, "capture_output": True, "timeout": 90, "env": self.environ}
        if "input" not in options and "stdin" not in options:
            defaults["stdin"] = subprocess.DEVNULL
        return subprocess.run([self.program, *words], **defaults | options)

    def run(self, *words: str, **options: Any) -> Any:
        """Run it, expect success, return its output without the last newline."""
        done = self.do(*words, **options)
        assert done.returncode == 0, f"docker {' '.join(words)}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.rstrip("\n") if isinstance(done.stdout, str) else done.stdout

    def fails(self, *words: str, code: int | None = None, **options: Any) -> str:
        """Run it, expect failure (with this status), return what it said."""
        done = self.do(*words, **options)
        assert done.returncode != 0 if code is None else done.returncode == code, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return str(done.stdout + done.stderr)

    def name(self, word: str = "c") -> str:
        """Return a name that only this test uses."""
        return f"{self.mark}-{word}"

    def clean(self) -> None:
        """Remove what this test made, by its name; an engine that hangs is for its own fixture to end."""
        try:
            self._clean()
        except subprocess.TimeoutExpired:
            pass

    def _clean(self) -> None:
        for listing, removal in (
            (["ps", "-aq", "--filter", f"name={self.mark}"], ["rm", "-fv"]),
            (["network", "ls", "-q", "--filter", f"name={self.mark}"], ["network", "rm"]),
            (["volume", "ls", "-q", "--filter", f"name={self.mark}"], ["volume", "rm", "-f"]),
            (["images", "-q", "--filter", f"reference={self.mark}*"], ["rmi", "-f"]),
        ):
            if found := self.do(*listing, timeout=20).stdout.split():
                self.do(*removal, *sorted(set(found)), timeout=30)
