"""Be connected to a container's streams: as a terminal, or as pipes."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli.errors import ExitError
from argosy.cli.terminal import keys, raw, signals
from argosy.cli.terminal.pump import Pump
from argosy.client import containers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from argosy.cli.session import Session
    from argosy.client.sync import Channel


def check_terminal(stdin: bool, tty: bool) -> None:
    """``-t`` with input wants a terminal to read from; raises ExitError in docker's words."""
    if stdin and tty and not raw.stdin_is_terminal():
        raise ExitError(1, "the input device is not a TTY")


def detach_keys(session: Session, said: str) -> tuple[str, bytes]:
    """Return the spelling to tell the daemon (``""`` for its default) and the bytes to watch for; raises ExitError."""
    text = said or str(session.config.get("detachKeys") or "")
    try:
        return text, keys.parse(text or keys.DEFAULT)
    except ValueError as error:
        raise ExitError(1, f"invalid detach keys ({text}): {error}") from None


def carry(channel: Channel, *, stdin: bool, tty: bool, stdout: bool = True, stderr: bool = True, watch: bytes = b"") -> bool:
    """Carry bytes until the end; returns True when the user detached. The terminal is raw meanwhile where that is right."""
    watching = keys.DetachKeys(watch) if tty and stdin and raw.stdin_is_terminal() else None
    with raw.raw(tty and stdin):
        return Pump(channel, stdin=stdin, framed=not tty, stdout=stdout, stderr=stderr, keys=watching).run()


def forwarding(session: Session, container: str, active: bool) -> AbstractContextManager[None]:
    """Pass on the signals that we receive, for a while; a container that has just ended is nothing to complain about."""
    from contextlib import contextmanager

    def forward(number: signal.Signals) -> None:
        client = session.new_client()
        try:
            client.call(containers.kill(container, signals.name(number)))
        except (ArgosyError, OSError):
            pass
        finally:
            client.close()

    @contextmanager
    def inactive() -> Iterator[None]:
        yield

    return signals.handling(signals.forwardable(), forward) if active else inactive()
