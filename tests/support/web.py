"""A web server and a git server on the loopback of a daemon's network namespace."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    # The server is a script of its own, outside of the tests' path.
    from support.daemon import Daemon


class Web:
    """Serves a folder with ETag and Last-Modified, and answers conditional requests; names that begin with ``bare`` have no validators."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    def put(self, name: str, data: str | bytes, modified: int = 1_000_000_000) -> str:
        """Serve this; return its URL."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        os.utime(path, (modified, modified))
        return f"{self.url}/{name}"

    def asked(self) -> list[str]:
        """Return what was asked and answered since the last time: ``GET /x 200``."""
        log = self.folder.parent / f"{self.folder.name}.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return lines


@contextlib.contextmanager
def web(daemon: Daemon, folder: Path) -> Iterator[Web]:
    """Yield a web server that the daemon reaches."""
    folder.mkdir(exist_ok=True)
    command = ["nsenter", f"--net=/run/netns/{daemon.name}", sys.executable, __file__, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield Web(folder, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@contextlib.contextmanager
def git_server(daemon: Daemon, folder: Path, port: int = 9418) -> Iterator[str]:
    """Yield the URL below which the folder's repositories are, by git's own protocol."""
    command = ["nsenter", f"--net=/run/netns/{daemon.name}", "git", "daemon", "--reuseaddr", "--export-all", f"--base-path={folder}"]
    process = subprocess.Popen([*command, "--listen=127.0.0.1", f"--port={port}", str(folder)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while f":{port:04X} " not in _listening(process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"git://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _listening(pid: int) -> str:
    return Path(f"/proc/{pid}/net/tcp").read_text()


def commit(where: Path, **files: str) -> str:
    """Make a commit of these files (``__`` stands for a slash) in the repository, made if need be; return its id."""
    where.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = where / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    who = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-c", "safe.directory=*")

    def git(*words: str) -> str:
        env = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(where)}
        return subprocess.run(["git", *who, *words], cwd=where, env=env, check=True, capture_output=True, text=True).stdout.strip()

    if not (where / ".git").exists():
        git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "change")
    return git("rev-parse", "HEAD")


class _Handler(BaseHTTPRequestHandler):
    folder: Path

    def do_GET(self) -> None:
        path = self.folder / self.path.partition("?")[0].lstrip("/")
        if not path.is_file():
            self._answer(404, b"")
            return
        data = path.read_bytes()
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        modified = formatdate(path.stat().st_mtime, usegmt=True)
        if path.name.startswith("bare"):
            self._answer(200, data)
        elif self.headers.get("If-None-Match") == tag:
            self._answer(304, b"", ETag=tag)
        else:
            self._answer(200, data, ETag=tag, Last_Modified=modified)

    def _answer(self, status: int, data: bytes, **headers: str) -> None:
        with open(f"{self.folder}.log", "a") as log:
            log.write(f"{self.command} {self.path} {status}\n")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


def _main() -> None:
    _Handler.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(json.dumps(server.server_address[1]), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _main()
