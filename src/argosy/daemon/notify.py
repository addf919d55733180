"""systemd's side: readiness by ``sd_notify`` (sd_notify(3)) and sockets passed in (sd_listen_fds(3))."""

import os
import socket


def notify(state: str) -> None:
    """Tell the service manager ``READY=1``, ``STOPPING=1`` or ``STATUS=…``; nothing without one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(state.encode(), target)
        except OSError:
            # The manager's socket may be gone; it must not stop the daemon.
            return
