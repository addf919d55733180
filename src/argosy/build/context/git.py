"""A repository's files, by the git program: shallow, without hooks, and by no protocol that reads the host's own files."""

import asyncio
import os
import shutil
from pathlib import Path

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.build.context.remote import Git

_MISSING = "the context is a git repository, and the daemon's host has no git: install git there, or send the directory itself"
_REASON = 2000


class Clone:
    """``protocols``: those that git may use, for the repository and for submodules."""

    def __init__(self, *, protocols: tuple[str, ...] = ("https", "http", "git", "ssh")) -> None:
        self._protocols = protocols

    async def fetch(self, what: Git, directory: Path, *, home: Path) -> str:
        """Put the files of one commit into the empty ``directory``; return the commit. ``home``: an empty directory for git's own use.

        Raises InvalidParameterError with git's reason, SystemFailureError where git is missing.
        """
        program = shutil.which("git")
        if program is None:
            raise SystemFailureError(_MISSING)
        run = _Git(program, directory, home, self._protocols)
        await run("init", "--quiet", "--template=")
        await run("remote", "add", "origin", what.url)
        try:
            await run("fetch", "--quiet", "--no-tags", "--depth=1", "--", "origin", what.ref or "HEAD")
            commit = "FETCH_HEAD"
        except InvalidParameterError:
            # A server need not give a commit that no ref names (git-config(1), uploadpack.allowAnySHA1InWant).
            await run("fetch", "--quiet", "--update-head-ok", "--", "origin", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            commit = what.ref or "HEAD"
        found = (await run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")).strip()
        if what.checksum and not found.startswith(what.checksum):
            raise InvalidParameterError(f"expected checksum to match {what.checksum}, got {found}")
        await run("checkout", "--quiet", "--force", "--detach", found)
        if what.submodules and (directory / ".gitmodules").is_file():
            await run("submodule", "update", "--quiet", "--init", "--recursive", "--depth=1")
        return found


class _Git:
    def __init__(self, program: str, directory: Path, home: Path, protocols: tuple[str, ...]) -> None:
        self._program = program
        self._directory = directory
        self._environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(protocols),
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oStrictHostKeyChecking=accept-new",
            **{name: value for name in ("SSH_AUTH_SOCK", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY") if (value := os.environ.get(name))},
        }

    async def __call__(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            self._program, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false", *words,
            cwd=self._directory, env=self._environment, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            out, error = await process.communicate()
        except BaseException:
            _end(process)
            await process.wait()
            raise
        if process.returncode:
            reason = error.decode("utf-8", "replace").strip()[-_REASON:]
            raise InvalidParameterError(f"failed to fetch the git context: git {words[0]}: {reason}")
        return out.decode("utf-8", "replace")


def _end(process: asyncio.subprocess.Process) -> None:
    """Its helpers (git-remote-https, ssh) are in its session and go too."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        return
