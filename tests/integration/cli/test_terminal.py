"""A terminal on a container: raw mode, size, detach keys, signals, exit statuses."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pytest

from .conftest import Bench  # type: ignore[import-not-found]

pytestmark = pytest.mark.root

Spawn = Callable[..., Any]
DETACH = "\x10\x11"


@pytest.fixture
def spawn(bench: Bench) -> Iterator[Spawn]:
    """Start ``argosy`` on a terminal of 30 lines and 100 columns."""
    started: list[Any] = []

    def start(*words: str) -> Any:
        child = pexpect.spawn(
            bench.argosy.words[0],
            [*bench.argosy.words[1:], *words],
            env=bench.argosy.environ,
            dimensions=(30, 100),
            encoding="utf-8",
            timeout=30,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def ended(child: Any) -> int:
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus is not None, child.signalstatus
    return int(child.exitstatus)


def test_a_shell_has_a_terminal_of_our_size_and_ends_with_its_status(spawn: Spawn, bench: Bench) -> None:
    child = spawn("run", "-it", "--rm", "--name", bench.name(), bench.image, "sh")
    child.expect("# ")
    child.sendline("stty size; test -t 0 && echo terminal")
    child.expect("30 100")
    child.expect("terminal")
    child.setwinsize(40, 120)
    # The size travels beside the keys: ask until it has arrived.
    child.sendline("until stty size | grep -q '40 120'; do :; done; echo res''ized")
    child.expect("resized")
    child.sendline("exit 5")
    assert ended(child) == 5


def test_detach_keys_leave_the_container_running(spawn: Spawn, bench: Bench) -> None:
    name = bench.name("kept")
    child = spawn("run", "-it", "--name", name, bench.image, "sh")
    child.expect("# ")
    child.send(DETACH)
    assert ended(child) == 0
    child = spawn("attach", name)
    child.sendline("echo still''here")
    child.expect("stillhere")
    child.send(DETACH)
    child.expect("read escape sequence")
    assert ended(child) == 1
    child = spawn("exec", "-it", "--detach-keys", "ctrl-x", name, "sh")
    child.expect("# ")
    child.send("\x18")
    child.expect("read escape sequence")
    assert ended(child) == 1
    assert bench.argosy.out("inspect", "-f", "{{.State.Running}}", name) == "true"
    child = spawn("attach", name)
    child.sendline("exit 3")
    assert ended(child) == 3
    child = spawn("start", "-ai", name)
    child.expect("# ")
    child.sendline("exit 4")
    assert ended(child) == 4


def test_exec_ends_with_its_status(spawn: Spawn, bench: Bench) -> None:
    name = bench.name("exec")
    bench.argosy.out("run", "-d", "--name", name, bench.image, "sleep", "100")
    child = spawn("exec", "-it", name, "sh", "-c", "stty size; exit 9")
    child.expect("30 100")
    assert ended(child) == 9


def test_the_terminal_is_as_before_afterwards(bench: Bench) -> None:
    script = (
        f"before=$(stty -g); {' '.join(bench.argosy.words)} run --rm -it {bench.image} true; "
        'test "$(stty -g)" = "$before" && echo restored; echo end'
    )
    child = pexpect.spawn("/bin/sh", ["-c", script], env=bench.argosy.environ, encoding="utf-8", timeout=30)
    child.expect("restored")
    child.expect("end")
    child.close()


def test_signals_reach_the_program(spawn: Spawn, bench: Bench) -> None:
    program = "trap 'echo caught; exit 33' TERM; echo ready; while :; do sleep 0.1; done"
    child = spawn("run", "--rm", "--name", bench.name("sig"), bench.image, "sh", "-c", program)
    child.expect("ready")
    child.kill(signal.SIGTERM)
    child.expect("caught")
    assert ended(child) == 33


def test_a_terminal_is_demanded_for_one(bench: Bench) -> None:
    done = bench.argosy("run", "--rm", "-it", bench.image, "true")
    assert (done.returncode, done.stderr) == (1, b"the input device is not a TTY\n")


def test_stats_and_events_stop_at_ctrl_c(spawn: Spawn, bench: Bench) -> None:
    name = bench.name("live")
    bench.argosy.out("run", "-d", "--name", name, bench.image, "sleep", "100")
    child = spawn("stats", name)
    child.expect(bench.mark)
    child.sendintr()
    assert ended(child) == 130
    with subprocess.Popen(
        [*bench.argosy.words, "events", "--since", "1h", "--filter", f"container={name}"], env=bench.argosy.environ, stdout=subprocess.PIPE
    ) as events:
        assert events.stdout is not None
        assert b"container create" in events.stdout.readline()
        events.send_signal(signal.SIGINT)
        assert events.wait(timeout=20) == 130


def test_folding_on_a_narrow_terminal(bench: Bench) -> None:
    name = bench.name("wide")
    ports = [word for port in range(80, 90, 2) for word in ("-p", f"127.0.0.1::{port}")]
    bench.argosy.out("run", "-d", "--name", name, *ports, bench.image, "sleep", "100")
    child = pexpect.spawn(
        bench.argosy.words[0],
        [*bench.argosy.words[1:], "ps", "-a", "--filter", f"name={name}"],
        env=bench.argosy.environ,
        dimensions=(30, 80),
        encoding="utf-8",
        timeout=30,
    )
    child.expect(pexpect.EOF)
    lines = str(child.before).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("/tcp" in line for line in lines) == 5
