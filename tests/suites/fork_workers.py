"""`storage.ports.Workers` by plain fork, for tests: the same confinement without the launcher."""

import asyncio
import json
import os
import signal
import sys
import traceback

from argosy.base import errors
from argosy.linux import kernel, mount
from argosy.linux.fuse_overlay import open_fuse_overlay
from argosy.linux.overlay import open_overlay
from argosy.linux.syscall import AT_FDCWD, call
from argosy.storage.archive.jobs import JOBS
from argosy.storage.model import Directory, Overlay

CLONE_NEWNS = 0x00020000


class ForkWorkers:
    async def run(self, job, params, *, fds=(), root=None, views=()):
        read, write = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _child(job, params, list(fds), root, list(views), write)
        os.close(write)
        try:
            answer = await _read_all(read)
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            raise
        finally:
            os.close(read)
            _reap(pid)
        if not answer:
            raise errors.SystemFailureError(f"worker for {job} died")
        result = json.loads(answer)
        if "error" in result:
            raise getattr(errors, result["error"], errors.SystemFailureError)(result["message"])
        return result["result"]


def _child(job, params, fds, root, views, write):
    code = 0
    try:
        # Like the launcher's children: nothing open but what was handed over (a copy of a pipe's other end would keep it open).
        for fd in [int(name) for name in os.listdir("/proc/self/fd")]:
            if fd > 2 and fd != write and fd not in fds:
                try:
                    os.close(fd)
                except OSError:
                    pass
        fds += _confine(root, views)
        answer = {"result": JOBS[job](params, fds)}
    except errors.ArgosyError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    except BaseException as error:
        if os.environ.get("FORK_WORKERS_DEBUG"):
            traceback.print_exc(file=sys.stderr)
        answer = {"error": "SystemFailureError", "message": str(error)}
    try:
        _write_all(write, json.dumps(answer).encode())
    finally:
        os._exit(code)


def _reap(pid):
    os.waitpid(pid, 0)


def _write_all(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def _confine(root, views):
    if root is None and not views:
        return []
    served = [_served(tree) for tree in (*views, root)]
    if not isinstance(root, int):
        call("unshare", CLONE_NEWNS)
        mount.set_propagation(b"/", mount.MS_PRIVATE | mount.MS_REC)
    opened = [_view(view, mounted) for view, mounted in zip(views, served)]
    if root is None:
        return opened
    if isinstance(root, Directory):
        os.chroot(root.path)
    elif isinstance(root, Overlay):
        # In a mount namespace of its own any directory will do.
        plus = kernel.has_lowerdir_plus()
        tree = served[-1] if served[-1] >= 0 else open_overlay(*_directories(root), lowerdir_plus=plus, scratch=b"/mnt")
        mount.attach(tree, AT_FDCWD, b"/mnt")
        os.chroot("/mnt")
    else:
        os.chroot(f"/proc/{root}/root")
    os.chdir("/")
    return opened


def _served(root):
    if isinstance(root, Overlay) and root.program:
        return open_fuse_overlay(os.fsencode(root.program), *_directories(root))[0]
    return -1


def _view(view, served):
    if isinstance(view, Directory):
        return os.open(view.path, os.O_RDONLY | os.O_DIRECTORY)
    tree = served if served >= 0 else open_overlay(*_directories(view), lowerdir_plus=True)
    return os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=tree)


def _directories(root):
    return tuple(map(os.fsencode, root.lower)), os.fsencode(root.upper), os.fsencode(root.work)


async def _read_all(fd):
    loop = asyncio.get_running_loop()
    os.set_blocking(fd, False)
    data = b""
    while True:
        try:
            part = os.read(fd, 1 << 20)
        except BlockingIOError:
            ready = loop.create_future()
            loop.add_reader(fd, lambda: ready.done() or ready.set_result(None))
            try:
                await ready
            finally:
                loop.remove_reader(fd)
            continue
        if not part:
            return data
        data += part
