"""The grammars of option values."""

from pathlib import Path
from typing import Any

import pytest

from argosy.cli.errors import ExitError, UsageError
from argosy.cli.flags import parse
from argosy.cli.opts import OptionError, mounts, networks, pairs, ports, resources
from argosy.cli.opts.container import document
from argosy.cli.opts.container_flags import FLAGS
from argosy.cli.opts.ipam import ipam_config
from argosy.cli.opts.moments import moment


def build(*words: str, environ: dict[str, str] | None = None, config: dict[str, object] | None = None) -> dict[str, Any]:
    return document(parse(FLAGS, words, interspersed=False), environ or {}, config or {}, "unix:///x")


def test_the_simplest_container() -> None:
    found = build("busybox", "echo", "-n")
    assert (found["Image"], found["Cmd"], found["AttachStdin"], found["AttachStdout"], found["Tty"]) == (
        "busybox",
        ["echo", "-n"],
        False,
        True,
        False,
    )
    assert found["HostConfig"]["NetworkMode"] == "default"
    assert found["NetworkingConfig"] == {"EndpointsConfig": {}}
    assert "Entrypoint" not in found


def test_many_options_reach_their_places() -> None:
    found = build(
        *("-it", "--rm", "--name", "x", "-m", "64m", "--cpus", "1.5", "--memory-swap", "-1", "--pids-limit", "50", "--shm-size", "1m"),
        *(
            "-p",
            "8080:80",
            "--expose",
            "90-91/udp",
            "-v",
            "data:/data:ro",
            "-v",
            "/anon",
            "--tmpfs",
            "/run:size=1m",
            "-e",
            "A=1",
            "-e",
            "HOME",
        ),
        *("-l", "tier=front", "--cap-add", "NET_ADMIN", "--device", "/dev/fuse:rw", "--ulimit", "nofile=10:20", "--sysctl", "net.ipv4.x=1"),
        *("--health-cmd", "true", "--health-interval", "5s", "--restart", "no", "--log-opt", "max-size=1m", "--init", "--read-only"),
        *("--security-opt", "no-new-privileges", "--security-opt", "systempaths=unconfined", "--mount", "type=bind,src=/a,dst=/b,readonly"),
        *(
            "--network",
            "app",
            "--ip",
            "10.0.0.5",
            "--network-alias",
            "w",
            "--link",
            "db:d",
            "--add-host",
            "a=1.2.3.4",
            "--stop-timeout",
            "3",
        ),
        *("--entrypoint", "", "-u", "1000", "-w", "/w", "-h", "box", "--gpus", "all", "img"),
        environ={"HOME": "/root"},
    )
    host = found["HostConfig"]
    assert found["Env"] == ["A=1", "HOME=/root"]
    assert found["ExposedPorts"] == {"80/tcp": {}, "90/udp": {}, "91/udp": {}}
    assert (found["Volumes"], found["Labels"], found["Entrypoint"], found["StopTimeout"]) == ({"/anon": {}}, {"tier": "front"}, [""], 3)
    assert found["Healthcheck"] == {"Test": ["CMD-SHELL", "true"], "Interval": 5 * 10**9}
    assert (found["OpenStdin"], found["StdinOnce"], found["Tty"]) == (True, True, True)
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (64 << 20, -1, 1_500_000_000, 50)
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    assert host["Binds"] == ["data:/data:ro"]
    assert host["Tmpfs"] == {"/run": "size=1m"}
    assert host["Devices"] == [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rw"}]
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 10, "Hard": 20}]
    assert (host["SecurityOpt"], host["MaskedPaths"]) == (["no-new-privileges"], [])
    assert host["Mounts"] == [{"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True}]
    assert host["DeviceRequests"][0]["Count"] == -1
    assert host["ExtraHosts"] == ["a:1.2.3.4"]
    assert host["NetworkMode"] == "app"
    assert found["NetworkingConfig"]["EndpointsConfig"] == {
        "app": {"Aliases": ["w"], "Links": ["db:d"], "IPAMConfig": {"IPv4Address": "10.0.0.5"}}
    }
    assert (host["Init"], host["ReadonlyRootfs"], host["AutoRemove"]) == (True, True, True)


def test_named_streams_are_the_only_ones_attached() -> None:
    found = build("-i", "-a", "stdout", "img")
    assert (found["AttachStdin"], found["AttachStdout"], found["AttachStderr"], found["OpenStdin"], found["StdinOnce"]) == (
        False,
        True,
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rm", "--restart", "always"], "conflicting options: cannot specify both --restart and --rm"),
        (["--memory-swappiness", "200"], "invalid value: 200. Valid memory swappiness range is 0-100"),
        (["--pid", "foo"], "--pid: invalid PID mode"),
        (["--uts", "foo"], "--uts: invalid UTS mode"),
        (["--userns", "foo"], "--userns: invalid USER mode"),
        (["--cgroupns", "foo"], "--cgroupns: invalid CGROUP mode"),
        (["--log-driver", "none", "--log-opt", "a=b"], "invalid logging opts for driver none"),
        (["--storage-opt", "foo"], "invalid storage option"),
        (["--no-healthcheck", "--health-cmd", "x"], "--no-healthcheck conflicts with --health-* options"),
        (["--health-interval", "-1s"], "--health-interval cannot be negative"),
        (["--health-retries", "-1"], "--health-retries cannot be negative"),
        (["--mac-address", "foo"], "foo is not a valid mac address"),
        (["--network-alias", "x"], "network-scoped aliases are only supported for user-defined networks"),
        (
            ["--network", "host", "--network", "foo"],
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
        ),
        (["--network", "a", "--network", "a"], 'network "a" is specified multiple times'),
        (["--restart", "on-failure:x"], "invalid restart policy format: maximum retry count must be an integer"),
        (["--security-opt", "foo"], 'Invalid --security-opt: "foo"'),
        (["--security-opt", "seccomp=/nonexist"], "opening seccomp profile (/nonexist) failed: open /nonexist: no such file or directory"),
        (["--device", "/dev/null:/x:qq"], "bad mode specified: qq"),
        (["--device", "/dev/null:x:y:z"], "bad format for path: /dev/null:x:y:z"),
        (["-v", "/a:b:c:d"], "invalid spec: /a:b:c:d: too many colons"),
        (["-p", "99999"], "invalid containerPort: 99999"),
        (["-p", "80:foo"], "invalid containerPort: foo"),
        (["-p", "1-3:1-2"], "invalid ranges specified for container and host Ports: 1-2 and 1-3"),
        (["-p", "1.2.3:1:1"], "invalid IP address: 1.2.3"),
        (["-p", "80/foo"], "invalid proto: foo"),
        (["-p", "a:b:c:d"], "invalid IP address: a:b"),
        (["--expose", "foo"], 'invalid range format for --expose: foo, error: strconv.ParseUint: parsing "foo": invalid syntax'),
        (["--env-file", "/nonexist"], "open /nonexist: no such file or directory"),
    ],
)
def test_what_docker_refuses_after_the_flags(words: list[str], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        build(*words, "img")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--add-host", "x"], 'bad format for add-host: "x"'),
        (["--add-host", "x:y"], 'invalid IP address in add-host: "y"'),
        (["-a", "foo"], "valid streams are STDIN, STDOUT and STDERR"),
        (["--blkio-weight-device", "foo"], "bad format: foo"),
        (["--device-cgroup-rule", "foo"], "invalid device cgroup format 'foo'"),
        (
            ["--device-read-bps", "/dev/sda:xx"],
            "invalid rate for device: /dev/sda:xx. The correct format is <device-path>:<number>[<unit>].",
        ),
        (["--dns", "foo"], "IP address is not correctly formatted: foo"),
        (["--dns-search", "!"], "! is not a valid domain"),
        (["-e", "=x"], "invalid environment variable: =x"),
        (["-l", "=x"], "invalid label '=x': empty name"),
        (["--gpus", "foo"], 'invalid count (foo): value must be either "all" or an integer: invalid syntax'),
        (["--mount", "foo"], "invalid field 'foo' must be a key=value pair"),
        (["--mount", "type=bind,src=/a"], "target is required"),
        (["--mount", "type=volume,src=a,dst=/b,foo=bar"], "unexpected key 'foo' in 'foo=bar'"),
        (["--mount", "type=volume,dst=/b,readonly=x"], "invalid value for readonly: x"),
        (["--mount", "type=tmpfs,dst=/b,tmpfs-mode=9"], "invalid value for tmpfs-mode: 9"),
        (["--mount", "type=bind,src=/a,dst=/b,volume-label=x"], "cannot mix 'volume-*' options with mount type 'bind'"),
        (["--network", "name=foo,bar=x"], "invalid field key bar"),
        (["--sysctl", "foo"], "sysctl 'foo' is not allowed"),
        (["--ulimit", "foo"], "invalid ulimit argument: foo"),
        (["--ulimit", "nofile=9:3"], "ulimit soft limit must be less than or equal to hard limit: 9 > 3"),
        (["--ulimit", "foo=1"], "invalid ulimit type: foo"),
    ],
)
def test_what_docker_refuses_as_a_flag(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(*words, "img")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "port", "address", "host"),
    [
        ("80", "80/tcp", "", ""),
        ("8080:80", "80/tcp", "", "8080"),
        ("127.0.0.1:8080:80/udp", "80/udp", "127.0.0.1", "8080"),
        ("127.0.0.1::80", "80/tcp", "127.0.0.1", ""),
        ("[::1]:8080:80", "80/tcp", "::1", "8080"),
        ("::1:8080:80", "80/tcp", "::1", "8080"),
        ("8000-9000:80", "80/tcp", "", "8000-9000"),
        ("target=80,published=8080,protocol=udp", "80/udp", "", "8080"),
    ],
)
def test_ports_are_published(spec: str, port: str, address: str, host: str) -> None:
    assert ports.published([spec])[1] == {port: [{"HostIp": address, "HostPort": host}]}


def test_ranges_are_published_one_by_one() -> None:
    assert ports.published(["7000-7002:80-82"])[1] == {f"{80 + n}/tcp": [{"HostIp": "", "HostPort": str(7000 + n)}] for n in range(3)}


def test_mounts_have_their_options() -> None:
    found = mounts.mount("type=volume,src=v,dst=/d,volume-nocopy,volume-label=a=b,volume-opt=o=size=1m,volume-driver=x,volume-subpath=p")
    assert found["VolumeOptions"] == {
        "NoCopy": True,
        "Labels": {"a": "b"},
        "DriverConfig": {"Options": {"o": "size=1m"}, "Name": "x"},
        "Subpath": "p",
    }
    assert mounts.mount("type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770")["TmpfsOptions"] == {"SizeBytes": 1 << 20, "Mode": 0o1770}
    assert mounts.mount("type=bind,src=./x,dst=/d")["Source"] == str(Path("x").absolute())
    assert mounts.mount("type=bind,src=/x,dst=/d,bind-recursive=disabled")["BindOptions"] == {"NonRecursive": True}
    with pytest.raises(ValueError, match="bind-recursive=readonly' requires 'readonly'"):
        mounts.mount("type=bind,src=/x,dst=/d,bind-recursive=readonly")


def test_environment_files_are_read_as_docker_does(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_bytes(b"\xef\xbb\xbf# comment\n\nA=1\r\n  B = x\nHOME\nUNSET\n")
    with pytest.raises(OptionError, match="variable 'B ' contains whitespaces"):
        pairs.environment([], [str(file)], {})
    file.write_bytes(b"# comment\nA=1 # kept\nHOME\nUNSET\n")
    assert pairs.environment(["C", "D=2"], [str(file)], {"HOME": "/h"}) == ["A=1 # kept", "HOME=/h", "C", "D=2"]
    file.write_bytes(b"=x\n")
    with pytest.raises(OptionError, match="no variable name on line '=x'"):
        pairs.environment([], [str(file)], {})


def test_proxies_come_from_the_configuration_unless_said() -> None:
    config: dict[str, object] = {"proxies": {"default": {"httpProxy": "http://p", "noProxy": "x"}}}
    assert build("-e", "HTTP_PROXY=mine", "img", config=config)["Env"] == [
        "http_proxy=http://p",
        "NO_PROXY=x",
        "no_proxy=x",
        "HTTP_PROXY=mine",
    ]


def test_subnets_take_what_belongs_to_them() -> None:
    found = ipam_config(["10.0.0.0/16", "fd00::/64"], ["10.0.1.0/24"], ["10.0.0.1", "fd00::1"], {"router": "10.0.0.9"})
    assert found == [
        {"Subnet": "10.0.0.0/16", "IPRange": "10.0.1.0/24", "Gateway": "10.0.0.1", "AuxiliaryAddresses": {"router": "10.0.0.9"}},
        {"Subnet": "fd00::/64", "Gateway": "fd00::1"},
    ]
    for arguments, message in (
        (([], [], ["10.0.0.1"], {}), "every ip-range or gateway must have a corresponding subnet"),
        ((["10.0.0.0/8", "10.1.0.0/16"], [], [], {}), "multiple overlapping subnet"),
        ((["10.0.0.0/8"], [], ["11.0.0.1"], {}), "no matching subnet for gateway 11.0.0.1"),
    ):
        with pytest.raises(ValueError, match=message):
            ipam_config(*arguments)  # type: ignore[arg-type]


def test_moments_are_read() -> None:
    assert moment("") == ""
    assert moment("1700000000.5") == "1700000000.5"
    assert moment("2013-01-02T13:23:37.25Z") == "1357133017.250000000"
    assert moment("2013-01-02T13:23:37+01:00") == "1357129417.000000000"
    assert abs(float(moment("10m")) + 600 - __import__("time").time()) < 60
    with pytest.raises(ExitError, match='invalid value for "since"'):
        moment("yesterday")


def test_restart_policies() -> None:
    assert resources.restart_policy("on-failure:3") == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert resources.restart_policy("always") == {"Name": "always", "MaximumRetryCount": 0}


def test_networks_with_options() -> None:
    one = networks.network("name=n,alias=a,alias=b,ip=10.0.0.2,driver-opt=k=v,gw-priority=5")
    mode, endpoints = networks.attachments([one, networks.network("m")])
    assert mode == "n"
    assert endpoints == {
        "n": {"Aliases": ["a", "b"], "IPAMConfig": {"IPv4Address": "10.0.0.2"}, "DriverOpts": {"k": "v"}, "GwPriority": 5},
        "m": {},
    }


def test_a_port_for_some_sources_is_published_with_a_label_that_says_so() -> None:
    exposed, bindings, labels = ports.published(["5432:5432,allow=10.0.0.0/8,allow=192.0.2.7", "80:80"])
    assert bindings == {"5432/tcp": [{"HostIp": "", "HostPort": "5432"}], "80/tcp": [{"HostIp": "", "HostPort": "80"}]}
    assert labels == {"argosy.publish.allow.5432/tcp": "10.0.0.0/8,192.0.2.7/32"}
    assert set(exposed) == {"5432/tcp", "80/tcp"}
    assert ports.published(["target=53,published=53,protocol=udp,allow=fd00::/8"])[2] == {"argosy.publish.allow.53/udp": "fd00::/8"}


def test_sources_that_are_none_or_contradict_are_refused() -> None:
    with pytest.raises(OptionError, match="invalid source in -p 80:80,allow=here"):
        ports.published(["80:80,allow=here"])
    with pytest.raises(OptionError, match="conflicting options: port 80/tcp"):
        ports.published(["127.0.0.1:80:80", "81:80,allow=10.0.0.0/8"])


def test_bandwidth_is_for_every_network_that_does_not_say_its_own() -> None:
    found = networks.attachments([networks.network("name=a,net-down=1mbit"), networks.network("b")], rates={"net-down": "8mbit"})[1]
    assert found["a"]["DriverOpts"] == {"argosy.net.down": "1mbit"}
    assert found["b"]["DriverOpts"] == {"argosy.net.down": "8mbit"}
    assert networks.attachments([], rates={"net-up": "2mbit"}) == ("default", {"default": {"DriverOpts": {"argosy.net.up": "2mbit"}}})
