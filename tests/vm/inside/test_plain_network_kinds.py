"""What other kernels may lack on the network: sctp, a lossy link, volumes on another machine's disk."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon
from vm.inside.using import begin, inside, refusal, remove, run

SERVER = """
import socket
listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
listening.bind(("0.0.0.0", 5000)); listening.listen()
print("ready", flush=True)
while True:
    peer, _ = listening.accept()
    peer.sendall(b"heard " + peer.recv(100)); peer.close()
"""
CLIENT = """
import socket, sys
made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
made.settimeout(60); made.connect((sys.argv[1], int(sys.argv[2]))); made.sendall(b"me"); print(made.recv(100).decode())
"""


@pytest.fixture(scope="module", autouse=True)
def modules() -> None:
    for name in ("sctp", "sch_netem", "nfsd", "nfs"):
        subprocess.run(["modprobe", name], check=True)


def within(daemon: Daemon, *command: str) -> list[str]:
    return ["nsenter", f"--net=/run/netns/{daemon.name}", *command]


def test_sctp_is_published(daemon: Daemon) -> None:
    made = begin(daemon, "talks", "-p", "5001:5000/sctp", "busybox", "sleep", "600")
    assert made["NetworkSettings"]["Ports"]["5000/sctp"][0]["HostPort"] == "5001"
    server = subprocess.Popen(
        ["nsenter", "-t", str(made["State"]["Pid"]), "-n", sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout and server.stdout.readline() == "ready\n"
        address = made["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
        heard = subprocess.run(within(daemon, sys.executable, "-c", CLIENT, address, "5001"), capture_output=True, text=True, timeout=300)
        assert heard.stdout == "heard me\n", heard.stderr
    finally:
        server.kill()
        server.wait()
    assert "already allocated" in refusal(daemon, "-p", "5001:5000/sctp", "busybox", "true")
    remove(daemon, "talks")


def test_names_are_answered_and_streams_whole_over_a_lossy_link(daemon: Daemon) -> None:
    daemon.api("POST", "/networks/create", {"Name": "lossy"})
    made = begin(daemon, "far", "--network", "lossy", "busybox", "sh", "-c", "head -c 300000 /dev/zero >/page; httpd -f -p 80 -h /")
    pid = str(made["State"]["Pid"])
    lossy = ["tc", "qdisc", "add", "dev", "eth0", "root", "netem", "loss", "10%", "delay", "20ms"]
    subprocess.run(["nsenter", "-t", pid, "-n", *lossy], check=True)
    for _ in range(3):
        assert run(daemon, "--network", "lossy", "busybox", "sh", "-c", "wget -q -O - http://far/page | wc -c") == "300000"
    assert (
        "10%" in subprocess.run(["nsenter", "-t", pid, "-n", "tc", "qdisc", "show", "dev", "eth0"], capture_output=True, text=True).stdout
    )
    remove(daemon, "far")
    daemon.api("DELETE", "/networks/lossy")


@pytest.fixture
def exported(daemon: Daemon, tmp_path: Path) -> Iterator[Path]:
    """A directory that the kernel's NFS server gives to whoever is in the daemon's network."""
    place = tmp_path / "exported"
    place.mkdir()
    script = f"""
    set -e
    ip link set lo up
    mkdir -p /var/lib/nfs/v4recovery /run/rpc_pipefs
    mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
    exportfs -i -o rw,fsid=0,no_root_squash,insecure,no_subtree_check '*:{place}'
    rpc.mountd -N 3
    rpc.nfsd -N 3 -V 4.2 --grace-time 1 --lease-time 10 2
    """
    subprocess.run(within(daemon, "sh", "-c", script), check=True)
    yield place
    subprocess.run(within(daemon, "sh", "-c", "rpc.nfsd 0; exportfs -ua; kill $(pidof rpc.mountd)"), check=True)


def test_a_volume_lies_on_an_nfs_server(daemon: Daemon, exported: Path) -> None:
    options = {"type": "nfs", "o": "addr=127.0.0.1,rw,nfsvers=4.2", "device": ":/"}
    daemon.api("POST", "/volumes/create", {"Name": "far", "DriverOpts": options})
    (exported / "there").write_text("content")
    begin(daemon, "mounts", "-v", "far:/data", "busybox", "sleep", "600")
    assert inside(daemon, "mounts", "cat /data/there; echo new >/data/new; grep -c 'nfs4' /proc/self/mounts") == "content1"
    deadline = time.monotonic() + 60
    while not (exported / "new").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (exported / "new").read_text() == "new\n"
    remove(daemon, "mounts")
    # Unmounted with its last container; the volume's removal leaves the server's files.
    assert "nfs4" not in Path("/proc/mounts").read_text()
    daemon.api("DELETE", "/volumes/far")
    assert (exported / "there").exists()


def test_a_server_that_does_not_answer_is_told(daemon: Daemon) -> None:
    options = {"type": "nfs", "o": "addr=127.0.0.1,rw,nfsvers=4.2,soft,timeo=10,retrans=1", "device": ":/none"}
    daemon.api("POST", "/volumes/create", {"Name": "gone", "DriverOpts": options})
    assert "failed to mount local volume" in refusal(daemon, "-v", "gone:/data", "busybox", "true")
    daemon.api("DELETE", "/volumes/gone")
