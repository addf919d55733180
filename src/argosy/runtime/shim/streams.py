"""Standard streams of one program (the container's, or an exec's): pipes or a terminal, the log, and attached clients.

Order of work for a chunk of output: the log first, then each client. Who may hold the program up:

- A client that was there before the program began (``docker run`` in the foreground, every exec) is its terminal or its
  pipe: when it does not read, the program waits, as it would in any shell.
- A client that attached later is an onlooker. When BOUND bytes wait for it the program is held up for at most a second; if
  half of them are not taken by then, the client is let go with a note, because the log has what it misses. Without a log
  (driver ``none``) the program waits for it, as Docker's does.
- Who wants the log and then the stream, with nothing lost and nothing twice, holds the program's output up while it reads the
  last of the log (`Streams.hold`): for a second at most, however many do so.
- A log server that does not take what is sent to it holds the program up as its driver says (`logs/relay.py`).
- The daemon is not in the way at all otherwise.
"""

import fcntl
import os

from argosy.linux.memory import trim
from argosy.runtime.shim.client import BOUND, EOF, SLOW, Client
from argosy.runtime.shim.loop import ERR, HUP, IN, OUT, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from argosy.runtime.logs.lazy import LazyLog

CHUNK = 256 * 1024
_PIPE_SIZE = 1 << 20
_INPUT_BOUND = 256 * 1024
_PATIENCE = 1.0
_BULK = 32 * 1024
_QUIET = 1.0
SLOW_NOTE = b"argosy: this client reads too slowly and was let go; the output is in the log\n"


def output_pipe() -> tuple[int, int]:
    """Return (our end, the program's end) of a pipe with room for large reads."""
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    except OSError:
        pass  # over the user's share of pipe memory (pipe(7)): smaller reads
    os.set_blocking(read, False)
    return read, write


def input_pipe() -> tuple[int, int]:
    """Return (the program's end, our end)."""
    read, write = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(write, False)
    return read, write


class Streams:
    """``outputs``: fd → stream number (1, 2). ``stdin``: fd or -1. A terminal's master is both. All are closed here."""

    def __init__(
        self,
        loop: Loop,
        *,
        outputs: dict[int, int],
        stdin: int,
        terminal: bool,
        stdin_once: bool,
        log: "LazyLog | None",
        ended: "Callable[[], None]",
        left: "Callable[[Client, str], None]",
    ) -> None:
        self.clients: list[Client] = []
        self.bytes_out = 0
        self._loop, self._log, self._ended, self._left = loop, log, ended, left
        self._outputs, self._stdin = dict(outputs), stdin
        self._terminal, self._stdin_once = terminal, stdin_once
        self._input: list[bytes] = []
        self._input_size = 0
        self._closing_stdin = False
        self._stalled = False
        self._over = False
        self._seen_by_trim = -1
        self._verdict: Callable[[], None] | None = None
        self._holds: set[str] = set()
        self._end_of_holds: Callable[[], None] | None = None
        self._flushing: list[Callable[[], None]] = []
        self._armed: dict[int, int] = {}
        if log is not None:
            log.drained = self.drained
        for fd in outputs:
            self._arm(fd)

    # ------------------------------------------------------------------ readiness

    def _arm(self, fd: int) -> None:
        """Wait for just what is of use now. An fd with nothing to wait for leaves epoll, which would report its end for ever."""
        wanted = IN if fd in self._outputs and not self._holds and (not self._stalled or self._over) else 0
        if fd == self._stdin and self._input:
            wanted |= OUT
        armed = self._armed.get(fd, 0)
        if wanted == armed:
            return
        if not armed:
            self._loop.add(fd, wanted, lambda events: self._ready(fd, events))
        elif wanted:
            self._loop.watch(fd, wanted)
        else:
            self._loop.remove(fd)
        self._armed[fd] = wanted

    def _ready(self, fd: int, events: int) -> None:
        if fd == self._stdin and self._input and events & (OUT | ERR | HUP):
            self._pump_input()
        if events & (IN | HUP | ERR) and self._armed.get(fd, 0) & IN:
            self._take(fd)
        elif events & (HUP | ERR) and self._armed.get(fd, 0):
            self._loop.remove(fd)
            self._armed[fd] = 0

    def _release(self, fd: int) -> None:
        if self._armed.pop(fd, 0):
            self._loop.remove(fd)

    # ------------------------------------------------------------------ output

    def _take(self, fd: int) -> bool:
        """Read one chunk and hand it on; False when there is nothing now."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # EIO: the last slave of the terminal was closed (pty(7))
        if not data:
            self._close_output(fd)
            return False
        stream = self._outputs[fd]
        self.bytes_out += len(data)
        if len(data) >= _BULK and self._seen_by_trim < 0:
            self._trim_later()
        if self._log is not None:
            self._log.write(stream, data)
        for client in tuple(self.clients):
            client.feed(stream, data)
        if not self._stalled and not self._over and (self._log_full() or any(client.full for client in self.clients)):
            self._hold_up()
        return True

    def _trim_later(self) -> None:
        self._seen_by_trim = self.bytes_out
        self._loop.later(_QUIET, self._trim)

    def _trim(self) -> None:
        """After a burst of output, and when it is over: its buffers go back to the kernel."""
        if self.bytes_out == self._seen_by_trim:
            self._seen_by_trim = -1
            trim()
        else:
            self._trim_later()

    def _close_output(self, fd: int) -> None:
        stream = self._outputs.pop(fd)
        if self._terminal:
            self._arm(fd)
        else:
            self._release(fd)
            os.close(fd)
        if self._log is not None:
            self._log.end(stream)
        if not self._outputs:
            self._ended()

    def finish(self) -> None:
        """The program has ended: take all that it left in the pipes at once, whoever may be slow."""
        self._over = True
        self._let_go_on()
        if self._stalled:
            self._go_on()
        self.take_waiting()

    def take_waiting(self) -> None:
        """Take what is in the pipes now: no more than they hold, because others may go on writing."""
        for fd in tuple(self._outputs):
            end = self.bytes_out + 2 * _PIPE_SIZE
            while fd in self._outputs and self.bytes_out < end and self._take(fd):
                pass

    def flush(self, done: "Callable[[], None]") -> None:
        """Call ``done`` when the log has what is in the pipes now."""
        if self._holds:
            self._flushing.append(done)
        else:
            self.take_waiting()
            done()

    @property
    def draining(self) -> bool:
        """Whether somebody still holds the program's output open."""
        return bool(self._outputs)

    def abandon(self) -> None:
        """Take no more output, from whoever still holds the pipes."""
        if self._holds:
            self._let_go_on()
            self.take_waiting()
        for fd in tuple(self._outputs):
            self._close_output(fd)

    def end_clients(self) -> None:
        for client in tuple(self.clients):
            client.end(EOF)

    # ------------------------------------------------------------------ from the log to the stream

    def hold(self, token: str) -> None:
        """Take no output, so that the log stands still, until `release` is called with this token, or for a second."""
        if not self._holds:
            # Of the first one: who follows has less, and the program is never held up for longer.
            self._end_of_holds = self._loop.later(_PATIENCE, self._let_go_on)
        self._holds.add(token)
        for fd in self._outputs:
            self._arm(fd)

    def holds(self, token: str) -> bool:
        """Return whether this hold is still in force: nothing was taken since."""
        return token in self._holds

    def release(self, token: str) -> None:
        self._holds.discard(token)
        if not self._holds:
            self._let_go_on()

    def _let_go_on(self) -> None:
        self._holds.clear()
        if self._end_of_holds is not None:
            self._end_of_holds()
            self._end_of_holds = None
        for fd in tuple(self._outputs):
            self._arm(fd)
        flushing, self._flushing = self._flushing, []
        for done in flushing:
            self.flush(done)

    # ------------------------------------------------------------------ slow clients

    def _hold_up(self) -> None:
        self._stalled = True
        for fd in self._outputs:
            self._arm(fd)
        if self._log is not None and any(client.full and not client.foreground for client in self.clients):
            self._verdict = self._loop.later(_PATIENCE, self._judge)

    def _judge(self) -> None:
        self._verdict = None
        for client in tuple(self.clients):
            if not client.foreground and client.queued > BOUND // 2:
                client.dismiss(SLOW, SLOW_NOTE)
        self.drained()

    def drained(self) -> None:
        """A client or the log can take output again, or a client has left."""
        if self._stalled and not self._log_full() and all(client.queued <= BOUND // 2 for client in self.clients):
            self._go_on()

    def _log_full(self) -> bool:
        return self._log is not None and self._log.full

    def _go_on(self) -> None:
        self._stalled = False
        if self._verdict is not None:
            self._verdict()
            self._verdict = None
        for fd in self._outputs:
            self._arm(fd)

    # ------------------------------------------------------------------ clients

    def attach(
        self, fd: int, *, streams: "frozenset[int]", stdin: bool, multiplexed: bool, keys: bytes, foreground: bool, first: bytes
    ) -> Client:
        """Take over a client's socket."""
        client = Client(
            self._loop,
            fd,
            self,
            streams=streams,
            stdin=stdin and self._stdin >= 0,
            multiplexed=multiplexed,
            # Docker looks for them on a terminal only (moby container/stream/attach.go).
            keys=keys if self._terminal else b"",
            foreground=foreground,
            left=self._client_left,
        )
        self.clients.append(client)
        client.receive(first)
        return client

    def _client_left(self, client: Client, reason: str) -> None:
        self.clients.remove(client)
        self._left(client, reason)
        self.drained()

    # ------------------------------------------------------------------ input

    def input(self, data: bytes) -> bool:
        """Give the program input; False: enough is waiting, pause."""
        if self._stdin < 0 or self._closing_stdin:
            return True
        self._input.append(data)
        self._input_size += len(data)
        self._pump_input()
        return self._input_size < _INPUT_BOUND

    def input_ended(self) -> None:
        """A client has no more input. Docker closes the program's stdin then if it is ``StdinOnce`` and no terminal."""
        if self._stdin_once and not self._terminal:
            self.close_stdin()

    def close_stdin(self) -> None:
        """Close the program's stdin when it has taken what waits for it."""
        self._closing_stdin = True
        if not self._input:
            self._drop_stdin()

    def _pump_input(self) -> None:
        try:
            while self._input:
                written = os.write(self._stdin, self._input[0])
                self._input_size -= written
                if written == len(self._input[0]):
                    del self._input[0]
                else:
                    self._input[0] = self._input[0][written:]
        except BlockingIOError:
            pass
        except OSError:
            # The program closed its end: what comes is thrown away, the session goes on.
            self._input.clear()
            self._input_size = 0
            self._closing_stdin = True
        if self._stdin >= 0:
            self._arm(self._stdin)
        if self._closing_stdin and not self._input:
            self._drop_stdin()
        if self._input_size < _INPUT_BOUND:
            for client in tuple(self.clients):
                client.resume()

    def _drop_stdin(self) -> None:
        fd = self._stdin
        if fd >= 0 and not self._terminal:
            self._stdin = -1
            self._release(fd)
            os.close(fd)

    def close(self) -> None:
        """Close what is left of the program's ends; clients keep what waits for them."""
        self.abandon()
        if self._stdin >= 0:
            self._release(self._stdin)
            os.close(self._stdin)
            self._stdin = -1
