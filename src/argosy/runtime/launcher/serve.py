"""The launcher's life: keep a warm child that waits for a request, from the first container on, and make the next when it has got one.

The fork comes *before* a request is read, so no secret of one container is ever in the memory from which another one's
shim is made. A SEQPACKET message goes to exactly one reader; the child says by a byte that it has one.

What dies when: the daemon closes its end → the child sees the end of the socket → both leave. The launcher is killed →
its warm child may still serve one request; the daemon sees the launcher's end, closes the socket and starts another.
"""

import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import gc
import os
import select
import sys

from argosy.runtime.launcher.child import quiet_house, warm_starter, work
from argosy.runtime.launcher.rehearsal import rehearse
from argosy.runtime.shim import wire
from argosy.runtime.shim.title import remember_area, set_title

_TAKEN, _CLOSED = b"t", b"c"
_HOPELESS = 20


def main(arguments: list[str]) -> None:
    """``DAEMON_ID PATHS PRELOAD``; the socket is fd 0."""
    daemon_id, _, preload = arguments[:3]
    link = socket.socket(fileno=os.dup(0))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    if preload:
        __import__(preload)
    remember_area()
    if not preload:
        rehearse()
    set_title("argosy-worker-launcher" if preload else "argosy-launcher", daemon_id)
    quiet_house()
    # Children are nobody's to wait for: a shim ends when it likes.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    serve(link, shims=not preload)


def serve(link: socket.socket, *, shims: bool) -> None:
    """Fork warm children until the daemon closes the socket; ``shims``: such is what is mostly asked for, not workers."""
    failures = 0
    # A daemon that has started a container is likely to start another; for one that has not, and for workers, whose jobs take
    # much longer than a fork, processes that wait would be memory for nothing.
    ahead = False
    while failures < _HOPELESS:
        if not ahead:
            _await_request(link)
        read, write = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _child(link, write, ahead)
        os.close(write)
        said = os.read(read, 1)
        os.close(read)
        if said == _CLOSED:
            return
        # A child that died before it took a request (killed) is replaced, but not for ever.
        failures = 0 if said == _TAKEN else failures + 1
        ahead = ahead or (shims and said == _TAKEN)


def _await_request(link: socket.socket) -> None:
    """Return when there is one, or the end of the socket; it is not read here."""
    poll = select.poll()
    poll.register(link.fileno(), select.POLLIN)
    poll.poll()


def _child(link: socket.socket, said: int, starter_ahead: bool) -> None:
    """Wait for one request and do it; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        gc.disable()
        starter = warm_starter() if starter_ahead else None
        received = wire.receive(link)
        if received is None:
            os.write(said, _CLOSED)
            os._exit(0)
        os.write(said, _TAKEN)
        os.close(said)
        link.close()
        header, fds = received
        code = work(header["verb"], fds, starter)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(code)
