"""Several daemons on one machine, and several machines on one: nobody touches what is another's."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.leaks import LeakCheck

pytestmark = pytest.mark.root


def running(daemon: Daemon) -> list[str]:
    """Return the names of its running containers."""
    return sorted(view["Names"][0] for view in daemon.api("GET", "/containers/json"))


def page(daemon: Daemon, url: str) -> str:
    """Fetch a page from where the daemon's host is."""
    code = f"import urllib.request as r; print(r.urlopen({url!r}, timeout=20).read().decode())"
    return daemon.run_inside(["python3", "-c", code]).stdout


def test_two_daemons_in_one_network_serve_side_by_side(leak_check: LeakCheck, daemons: Callable[..., Daemon]) -> None:
    one, two = daemons(own_network=False), daemons(own_network=False)
    for daemon in (one, two):
        assert daemon.argosy("run", "-d", "--init", "--name", "web", "-p", "80", "busybox", "httpd", "-f", "-h", "/www").returncode == 0
    ports = [
        json.loads(daemon.argosy("inspect", "web").stdout)[0]["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] for daemon in (one, two)
    ]
    assert ports[0] != ports[1]
    for daemon, port in zip((one, two), ports):
        assert "It works" in page(daemon, f"http://127.0.0.1:{port}/")
    one.kill()
    assert running(two) == ["/web"] and "It works" in page(two, f"http://127.0.0.1:{ports[1]}/")
    # Published ports are the kernel's work and netd's: they outlive the daemon.
    assert "It works" in page(one, f"http://127.0.0.1:{ports[0]}/")
    two.argosy("rm", "-f", "web")
    one.start()
    assert running(one) == ["/web"] and "It works" in page(one, f"http://127.0.0.1:{ports[0]}/")


def test_a_second_daemon_on_the_same_data_root_is_refused(daemons: Callable[..., Daemon], tmp_path: Path) -> None:
    first, second = daemons(), daemons(start=False)
    second.data_root = first.data_root
    second.start(wait=False)
    assert second.process and second.process.wait(30) != 0
    assert "in use by another argosyd" in second.log_end()
    assert first.api.raw("GET", "/_ping")[0] == 200


def test_a_data_root_made_by_docker_is_refused_untouched(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons(start=False)
    foreign = daemon.data_root / "image/overlay2/repositories.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("{}")
    (daemon.data_root / "containers").mkdir()
    (daemon.data_root / "engine-id").write_text("of docker")
    before = sorted(str(path) for path in daemon.data_root.rglob("*"))
    daemon.start(wait=False)
    assert daemon.process and daemon.process.wait(30) != 0
    assert sorted(str(path) for path in daemon.data_root.rglob("*")) == before


def test_a_port_is_reached_from_another_machine_and_loopback_is_not(leak_check: LeakCheck, daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    other = daemon.name + "x"
    subprocess.run(["ip", "netns", "add", other], check=True)
    try:
        daemon.run_inside(["ip", "link", "add", "wire", "type", "veth", "peer", "name", "eth0", "netns", other])
        daemon.run_inside(["ip", "addr", "add", "192.0.2.1/24", "dev", "wire"])
        daemon.run_inside(["ip", "link", "set", "wire", "up"])
        for words in ("addr add 192.0.2.2/24 dev eth0", "link set eth0 up", "route replace 127.0.0.0/8 via 192.0.2.1"):
            # The last asks for trouble: packets to 127.0.0.1 sent over the wire.
            subprocess.run(["nsenter", f"--net=/run/netns/{other}", "ip", *words.split()], capture_output=True)
        serve = ["busybox", "httpd", "-f", "-h", "/www"]
        assert daemon.argosy("run", "-d", "--init", "--name", "open", "-p", "8080:80", *serve).returncode == 0
        assert daemon.argosy("run", "-d", "--init", "--name", "local", "-p", "127.0.0.1:8081:80", *serve).returncode == 0

        def fetch(url: str) -> int:
            code = f"import urllib.request as r; r.urlopen({url!r}, timeout=5).read()"
            return subprocess.run(["nsenter", f"--net=/run/netns/{other}", "python3", "-c", code], capture_output=True).returncode

        assert fetch("http://192.0.2.1:8080/") == 0
        assert fetch("http://192.0.2.1:8081/") != 0
    finally:
        subprocess.run(["ip", "netns", "del", other])


def test_a_daemon_leaves_nothing_behind(leak_check: LeakCheck, daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    daemon.argosy("run", "-d", "--init", "-p", "80", "busybox", "sleep", "600")
    daemon.argosy("network", "create", "inner")
    daemon.argosy("run", "-d", "--init", "--network", "inner", "busybox", "sleep", "600")
    assert leak_check().keys() >= {"namespaces", "processes"}
    daemon.destroy()
    assert leak_check() == {}
