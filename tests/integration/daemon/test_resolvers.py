"""Names as real resolvers ask for them: glibc, musl, busybox and dig, in containers on a network with the embedded DNS."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from integration.daemon.steps import executed
from support.daemon import Daemon
from support.debian import unpacked

pytestmark = pytest.mark.root

MUSL_PROGRAM = r"""
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
int main(int count, char **words) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(words[1], "80", &hints, &found);
    if (error) { printf("%s\n", gai_strerror(error)); return 1; }
    for (; found; found = found->ai_next) {
        char text[64];
        void *raw = found->ai_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)found->ai_addr)->sin6_addr
                                                 : (void *)&((struct sockaddr_in *)found->ai_addr)->sin_addr;
        puts(inet_ntop(found->ai_family, raw, text, sizeof text));
    }
    return 0;
}
"""


@pytest.fixture
def asker(argosyd: Daemon) -> Iterator[Daemon]:
    """A daemon with the containers ``web`` (alias ``www``) and ``asker`` on the network ``net``, which has IPv6 too."""
    argosyd.api("POST", "/networks/create", {"Name": "net", "EnableIPv6": True})
    run(argosyd, "web", {"Aliases": ["www"]})
    run(argosyd, "asker")
    yield argosyd


def run(daemon: Daemon, name: str, settings: dict[str, object] | None = None, network: str = "net", **host: object) -> None:
    body = {
        "Image": "busybox",
        "Cmd": ["sleep", "600"],
        "HostConfig": {"Init": True, "NetworkMode": network, **host},
        "NetworkingConfig": {"EndpointsConfig": {network: settings or {}}},
    }
    daemon.api("POST", f"/containers/create?name={name}", body)
    daemon.api("POST", f"/containers/{name}/start")


def addresses(daemon: Daemon, name: str, network: str = "net") -> set[str]:
    shown = daemon.api("GET", f"/containers/{name}/json")["NetworkSettings"]["Networks"][network]
    return {text for text in (shown["IPAddress"], shown["GlobalIPv6Address"]) if text}


def within(daemon: Daemon, *command: str, name: str = "asker") -> subprocess.CompletedProcess[str]:
    """Run a program of the host in a container's network and with its resolv.conf and hosts: glibc asks as in the container."""
    view = daemon.api("GET", f"/containers/{name}/json")
    script = f'mount --bind {view["ResolvConfPath"]} /etc/resolv.conf && mount --bind {view["HostsPath"]} /etc/hosts && exec "$@"'
    enter = ["nsenter", f"--net=/proc/{view['State']['Pid']}/ns/net", "unshare", "--mount", "sh", "-c", script, "sh"]
    return subprocess.run([*enter, *command], text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)


def test_glibc_finds_names_aliases_and_addresses(asker: Daemon) -> None:
    for name in ("web", "www", "web.net", "WEB"):
        found = {line.split()[0] for line in within(asker, "getent", "ahosts", name).stdout.splitlines()}
        assert found == addresses(asker, "web"), name
    for address in addresses(asker, "web"):
        assert within(asker, "getent", "hosts", address).stdout.split() == [address, "web.net"]
    assert within(asker, "getent", "ahosts", "host.docker.internal").returncode == 0


def test_musl_finds_both_kinds_of_address_also_where_only_one_is_there(asker: Daemon, tmp_path: Path) -> None:
    program = musl(tmp_path)
    asker.api("POST", "/networks/create", {"Name": "four"})
    run(asker, "old", network="four")
    asker.api("POST", "/networks/four/connect", {"Container": "asker"})
    assert set(within(asker, program, "web").stdout.split()) == addresses(asker, "web")
    # An empty answer for AAAA, not "no such name", which musl takes for the last word about A too.
    assert set(within(asker, program, "old").stdout.split()) == addresses(asker, "old", "four")


def musl(folder: Path) -> str:
    """Return a static program that asks as musl does."""
    home, compiler = unpacked("musl", "musl-dev"), shutil.which("gcc")
    if home is None or compiler is None:
        pytest.skip("needs gcc, and musl-dev from a Debian mirror")
    kind = next((home / "usr/lib").glob("*-linux-musl")).name
    library, source, program = home / "usr/lib" / kind, folder / "ask.c", folder / "ask"
    source.write_text(MUSL_PROGRAM)
    own = subprocess.run([compiler, "-print-libgcc-file-name"], capture_output=True, text=True, check=True).stdout.strip()
    words = ["-static", "-nostdinc", "-isystem", str(home / "usr/include" / kind), "-nostdlib", "-o", str(program)]
    parts = [library / "crt1.o", library / "crti.o", source, library / "libc.a", own, library / "crtn.o"]
    subprocess.run([compiler, *words, *map(str, parts)], check=True, capture_output=True)
    return str(program)


def test_busybox_finds_names_in_the_container_itself(asker: Daemon) -> None:
    code, text = executed(asker, "asker", "nslookup", "-type=a", "web")
    assert code == 0
    assert {line.split()[1] for line in text.splitlines() if line.startswith("Address:") and ":53" not in line} <= addresses(asker, "web")
    assert executed(asker, "asker", "ping", "-c", "1", "-W", "2", "www")[0] == 0


def test_dig_asks_in_every_way_there_is(asker: Daemon) -> None:
    if shutil.which("dig") is None:
        pytest.skip("needs dig (bind9-dnsutils)")
    four = next(text for text in addresses(asker, "web") if ":" not in text)
    for way in ("+notcp", "+tcp", "+noedns", "+edns=0", "+bufsize=512", "+dnssec", "+cookie", "+nord"):
        done = within(asker, "dig", "+tries=1", "+time=3", way, "web", "A")
        assert "status: NOERROR" in done.stdout, (way, done.stdout)
        assert f"IN\tA\t{four}" in done.stdout, way
    nothing = within(asker, "dig", "+tries=1", "web", "MX").stdout
    assert "status: NOERROR" in nothing
    assert "ANSWER: 0" in nothing
    reverse = within(asker, "dig", "+short", "-x", four).stdout
    assert reverse.strip() == "web.net."


def test_search_domains_and_options_are_glibcs_to_use(asker: Daemon) -> None:
    run(asker, "tuned", DnsSearch=["net"], DnsOptions=["ndots:2", "timeout:1", "attempts:1"])
    conf = executed(asker, "tuned", "cat", "/etc/resolv.conf")[1]
    assert "nameserver 127.0.0.11" in conf
    assert "search net\n" in conf
    assert "options ndots:2 timeout:1 attempts:1" in conf
    # With ndots:2 the search list comes first: web.net is what is asked.
    found = {line.split()[0] for line in within(asker, "getent", "ahosts", "web", name="tuned").stdout.splitlines()}
    assert found == addresses(asker, "web")


def test_host_gateway_is_the_containers_own_way_to_the_host(asker: Daemon) -> None:
    run(asker, "guest", ExtraHosts=["home:host-gateway"])
    gateway = asker.api("GET", "/containers/guest/json")["NetworkSettings"]["Networks"]["net"]["Gateway"]
    assert within(asker, "getent", "ahostsv4", "home", name="guest").stdout.split()[0] == gateway
    found = {line.split()[0] for line in within(asker, "getent", "ahostsv4", "host.docker.internal", name="guest").stdout.splitlines()}
    assert found == {gateway}


def test_many_ask_at_once_while_the_daemon_is_away_and_comes_back(asker: Daemon) -> None:
    wanted = addresses(asker, "web")
    wrong: list[str] = []
    ended = threading.Event()

    def ask(_: int) -> int:
        count = 0
        while not ended.is_set():
            code, text = resolved("web")
            if code or not {line.split()[0] for line in text.splitlines()} <= wanted:
                wrong.append(text or str(code))
            count += 1
        return count

    view = asker.api("GET", "/containers/asker/json")
    enter = ["nsenter", f"--net=/proc/{view['State']['Pid']}/ns/net", "busybox", "nslookup", "-type=a", "web", "127.0.0.11"]

    def resolved(_: str) -> tuple[int, str]:
        done = subprocess.run(enter, capture_output=True, text=True, timeout=60)
        lines = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Address:") and ":53" not in line]
        return done.returncode, "\n".join(lines)

    with ThreadPoolExecutor(4) as pool:
        askers = [pool.submit(ask, number) for number in range(4)]
        asker.kill()
        asker.start()
        ended.set()
        assert all(one.result() for one in askers)
    assert wrong == []
