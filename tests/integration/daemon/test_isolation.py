"""What a container must not see or reach: other containers, the host's own services, what the kernel tells of the host."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from integration.daemon.steps import executed, log, said, start
from support.daemon import Daemon
from support.remains import settled

pytestmark = pytest.mark.root

_LISTEN = """
import socket, sys
server = socket.create_server(("127.0.0.1", 7777))
any_address = socket.create_server(("0.0.0.0", 7778))
print("listening", flush=True)
sys.stdin.read()
"""


CONFINED = {
    "CapEff": "00000000a80425fb",
    "CapPrm": "00000000a80425fb",
    "CapBnd": "00000000a80425fb",
    "CapInh": "0000000000000000",
    "CapAmb": "0000000000000000",
    "Seccomp": "2",
    "SigIgn": "0000000000000000",
    "SigBlk": "0000000000000000",
    "NoNewPrivs": "0",
}


def status(text: str) -> dict[str, str]:
    """Return the fields of /proc/PID/status that say how a process is confined."""
    values = dict(line.split(":", 1) for line in text.splitlines())
    return {key: values[key].strip() for key in CONFINED}


def test_the_program_gets_what_docker_gives_and_nothing_else(argosyd: Daemon) -> None:
    assert status(said(argosyd, "exec cat /proc/self/status")) == CONFINED
    # The fourth is the folder that ls reads.
    assert said(argosyd, "exec ls /proc/self/fd/").split() == ["0", "1", "2", "3"]


def test_an_exec_gets_the_same(argosyd: Daemon) -> None:
    start(argosyd, "box", "sleep 600")
    assert status(executed(argosyd, "box", "cat", "/proc/self/status")[1]) == CONFINED
    assert executed(argosyd, "box", "ls", "/proc/self/fd/")[1].split() == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "script",
    [
        "unshare -U true",
        "unshare -m true",
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /proc/sys",
        "umount /proc/sys",
        "echo 1 >/proc/sysrq-trigger",
        "echo x >/sys/kernel/uevent_helper",
        "mknod /memory b 8 0 && cat /memory",
        "chroot /proc/1/root/../../.. ls /srv",
        "hostname other",
        "dmesg",
    ],
)
def test_what_is_refused(script: str, argosyd: Daemon) -> None:
    assert said(argosyd, f"({script}) >/dev/null 2>&1; echo $?").strip() != "0"


def test_nothing_in_proc_sys_or_sys_can_be_written(argosyd: Daemon) -> None:
    script = "for f in $(find /proc/sys /sys -type f 2>/dev/null); do (: >>$f) 2>/dev/null && echo $f; done; echo done"
    assert said(argosyd, script) == "done\n"


def test_masked_files_are_empty(argosyd: Daemon) -> None:
    script = (
        "for f in kcore keys timer_list; do head -c 1 /proc/$f 2>/dev/null; done; ls -A /sys/firmware /proc/acpi /proc/scsi 2>/dev/null"
    )
    assert [line for line in said(argosyd, script).splitlines() if line and not line.endswith(":")] == []


def test_containers_see_no_processes_files_or_ipc_of_others(argosyd: Daemon) -> None:
    start(argosyd, "one", "ipcmk -Q >/dev/null 2>&1; echo secret >/dev/shm/mine; echo secret >/tmp/mine; exec sleep 4242")
    assert executed(argosyd, "one", "sh", "-c", "until [ -e /tmp/mine ]; do sleep 0.1; done")[0] == 0
    text = said(argosyd, "ps; ls /tmp /dev/shm; cat /proc/sysvipc/msg | wc -l; echo *; cat /proc/self/mountinfo")
    assert "4242" not in text
    assert "mine" not in text
    assert str(argosyd.exec_root) not in text
    pids = said(argosyd, "cd /proc; echo [0-9]*").split()
    assert pids == ["1"]


def test_the_hosts_loopback_services_cannot_be_reached(argosyd: Daemon) -> None:
    server = subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{argosyd.name}", sys.executable, "-c", _LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert server.stdout
        assert server.stdout.readline() == b"listening\n"
        start(argosyd, "box", "sleep 600")
        gateway = argosyd.api("GET", "/containers/box/json")["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
        for address in ("127.0.0.1", gateway):
            assert executed(argosyd, "box", "nc", "-w", "2", address, "7777", "-e", "true")[0] != 0
        argosyd.run_inside([sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 7777), 5)"])
        # Routed straight at the host's loopback address from the container's side of the bridge.
        code, _ = executed(
            argosyd, "box", "sh", "-c", f"ip route add 127.0.0.2/32 via {gateway} 2>/dev/null; nc -w 2 127.0.0.2 7777 -e true"
        )
        assert code != 0
    finally:
        assert server.stdin
        server.stdin.close()
        server.wait(10)


def test_a_container_that_looks_for_the_entering_process_reads_nothing(argosyd: Daemon) -> None:
    """CVE-2019-5736 and its kin: a process on its way into a container must not be readable or writable from inside."""
    watch = r"""
self=$$
seen=0
while [ ! -e /end ]; do
  for p in /proc/[0-9]*; do
    n=${p#/proc/}
    case $n in 1|$self) continue;; esac
    exe=$(readlink $p/exe 2>/dev/null)
    case "$exe" in /bin/busybox|'') ;; *) echo "exe $exe";; esac
    for fd in $p/fd/*; do
      to=$(readlink $fd 2>/dev/null)
      case "$to" in /run/agt*|/var/*|/tmp/*|*argosy*) echo "fd $to";; esac
    done
    if grep -aqs -e ARGOSY -e PYTHON $p/environ; then echo "environment $p"; fi
    if grep -qs -e python -e argosy $p/maps; then echo "maps $p"; fi
  done
  seen=$((seen+1))
done
echo "looked $seen"
"""
    start(argosyd, "spy", watch)
    for _ in range(40):
        assert executed(argosyd, "spy", "true")[0] == 0
    assert executed(argosyd, "spy", "touch", "/end")[0] == 0
    argosyd.api("POST", "/containers/spy/wait")
    lines = log(argosyd, "spy").split("\n")
    assert lines[-2].startswith("looked ")
    assert lines[:-2] == [], lines[:10]


def test_the_api_socket_and_roots_are_closed_to_others(argosyd: Daemon) -> None:
    assert os.stat(argosyd.socket).st_mode & 0o007 == 0
    assert os.stat(argosyd.data_root).st_mode & 0o007 == 0
    for folder in ("exec/containers", "exec/sandboxes"):
        assert os.stat(argosyd.exec_root / folder).st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(argosyd.socket))
    assert settled(lambda: Path(argosyd.socket).exists(), True) is True
