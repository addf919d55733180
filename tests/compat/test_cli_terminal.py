"""A tour of the official docker CLI: terminals, their size, detaching."""

import re

import pexpect

from support.docker_cli import Docker

PROMPT = "tour# "


def spawn(docker: Docker, *words: str) -> "pexpect.spawn[str]":
    """Start the CLI on a pseudo-terminal of 30 rows and 100 columns."""
    return pexpect.spawn(docker.program, list(words), env=docker.environ, encoding="utf-8", timeout=60, dimensions=(30, 100))


def test_run_it_gives_a_terminal_of_our_size(docker: Docker) -> None:
    child = spawn(docker, "run", "-it", "--rm", "-e", f"PS1={PROMPT}", "busybox", "sh")
    child.expect_exact(PROMPT)
    child.sendline("stty size; tty; echo end-$TERM")
    child.expect(r"30 100\s+/dev/(pts/0|console)\s+end-xterm")
    child.setwinsize(40, 132)
    for _ in range(50):
        child.sendline("stty size; echo si''zed")
        child.expect(r"(\d+ \d+)\s+sized")
        if child.match and child.match[1] == "40 132":
            break
    assert child.match and child.match[1] == "40 132"
    child.sendline("exit 12")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 12


def test_detach_keys_leave_it_running_and_attach_returns(docker: Docker) -> None:
    name = docker.name()
    child = spawn(docker, "run", "-it", "--name", name, "-e", f"PS1={PROMPT}", "busybox", "sh")
    child.expect_exact(PROMPT)
    child.send("\x10\x11")
    child.expect(pexpect.EOF)
    child.close()
    assert docker.run("inspect", "-f", "{{.State.Running}}", name) == "true"
    again = spawn(docker, "attach", "--detach-keys", "ctrl-x,x", name)
    again.sendline("echo ba''ck")
    again.expect_exact("back")
    again.send("\x18x")
    again.expect(pexpect.EOF)
    assert docker.run("inspect", "-f", "{{.State.Running}}", name) == "true"


def test_exec_it(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "-d", "--init", "--name", name, "busybox", "sleep", "600")
    child = spawn(docker, "exec", "-it", "-e", f"PS1={PROMPT}", name, "sh")
    child.expect_exact(PROMPT)
    child.sendline("stty size; exit 3")
    child.expect(r"30 100")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3


def test_control_c_reaches_the_program(docker: Docker) -> None:
    child = spawn(
        docker, "run", "-it", "--rm", "busybox", "sh", "-c", 'trap "echo interrupted; exit 8" INT; echo ready; while :; do sleep 0.1; done'
    )
    child.expect_exact("ready")
    child.send("\x03")
    child.expect(re.compile("interrupted"))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 8


def test_a_terminal_is_refused_without_one(docker: Docker) -> None:
    assert re.search("input device is not a TTY|not a terminal", docker.fails("run", "-it", "--rm", "busybox", "true"))
    assert docker.run("run", "-t", "--rm", "busybox", "sh", "-c", "echo a; echo b >&2", text=False) == b"a\r\nb\r\n"
