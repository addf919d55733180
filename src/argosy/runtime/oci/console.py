"""The terminal's master side: sent to the caller's socket, or served by this process itself."""

import _socket
import os
import select

from argosy.linux import pty
from argosy.runtime.oci.errors import RuntimeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHUNK = 32768


def send_master(path: str, master: int) -> None:
    """Hand ``master`` to whoever listens at ``path`` (``--console-socket``). Raises RuntimeFailed."""
    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        _connect(socket, path)
        name = b"/dev/pts/%d" % pty.number(master)
        socket.sendmsg([name], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, master.to_bytes(4, "little"))])
    except OSError as error:
        raise RuntimeFailed(f"sending the terminal to {path}: {error}") from error
    finally:
        socket.close()
        os.close(master)


def _connect(socket: "_socket.socket", path: str) -> None:
    """Through the directory's fd: the path may be longer than the 107 bytes of sockaddr_un."""
    directory = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        socket.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)


def attach(master: int, pidfd: int) -> None:
    """Copy between this process's terminal and ``master`` until the program ended."""
    restore = _raw()
    try:
        _copy(master, pidfd)
    finally:
        if restore is not None:
            import termios

            termios.tcsetattr(0, termios.TCSADRAIN, restore)
        os.close(master)


def _raw() -> "list[Any] | None":
    """Put fd 0 into raw mode if it is a terminal (cfmakeraw(3)); return what to restore."""
    import termios  # only a foreground terminal pays for it

    try:
        before = termios.tcgetattr(0)
    except termios.error:
        return None
    mode = [*before[:6], list(before[6])]
    mode[0] &= ~(
        termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON
    )
    mode[1] &= ~termios.OPOST
    mode[2] = mode[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    mode[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    termios.tcsetattr(0, termios.TCSADRAIN, mode)
    return before


def _copy(master: int, pidfd: int) -> None:
    poll = select.poll()
    for fd in (master, pidfd, 0):
        poll.register(fd, select.POLLIN)
    try:
        pty.set_size(master, *pty.get_size(0))
    except OSError:
        pass
    ended = False
    while True:
        # After the end only what is still in the terminal's buffer.
        ready = dict(poll.poll(0 if ended else None))
        if ready.get(master):
            try:
                data = os.read(master, _CHUNK)
            except OSError:  # EIO: no process has it open any more
                return
            os.write(1, data)
        elif ended:
            return
        if ready.get(0):
            data = os.read(0, _CHUNK)
            if data:
                os.write(master, data)
            else:
                poll.unregister(0)
        ended = ended or bool(ready.get(pidfd))
