import pytest

from argosy.base.errors import SystemFailureError
from argosy.engine.model import ContainerSpec, Device, ExecSpec, HostConfig, MountPoint, Ulimit
from argosy.engine.spec import SpecInputs, build_spec, exec_process
from argosy.engine.spec.build import environment, replace_env
from argosy.engine.spec.devices import parse_rule
from argosy.oci.config import Config

FILES = {"/etc/resolv.conf": "/h/resolv.conf", "/etc/hosts": "/h/hosts", "/etc/hostname": "/h/hostname"}


def spec(config: Config | None = None, **host: object) -> ContainerSpec:
    return ContainerSpec(
        id="ab" * 32,
        name="web",
        created=1,
        image_id="sha256:x",
        config=config or Config(hostname="abababababab"),
        host=HostConfig(**{"network_mode": "bridge", **host}),
        path="sh",
        args=("-c", "true"),
    )


def inputs(**changes: object) -> SpecInputs:
    values = {"mounts": (), "files": FILES, "cgroups_path": "/argosy/x", "capabilities": ("CAP_CHOWN",), "list_devices": lambda path: []}
    return SpecInputs(**{**values, **changes})


def destinations(built) -> list[str]:
    return [mount["destination"] for mount in built["mounts"]]


def test_an_ordinary_container_has_its_own_namespaces_and_masked_paths():
    built = build_spec(spec(), inputs())
    assert {entry["type"] for entry in built["linux"]["namespaces"]} == {"mount", "uts", "ipc", "pid", "network"}
    assert "/proc/kcore" in built["linux"]["maskedPaths"]
    assert "/proc/sys" in built["linux"]["readonlyPaths"]
    assert built["hostname"] == "abababababab"
    assert built["process"]["args"] == ["sh", "-c", "true"]
    assert built["linux"]["sysctl"]["net.ipv4.ip_unprivileged_port_start"] == "0"


def test_host_modes_leave_namespaces_out():
    built = build_spec(spec(network_mode="host", pid_mode="host", ipc_mode="host", uts_mode="host"), inputs(shm_source="/dev/shm"))
    assert [entry["type"] for entry in built["linux"]["namespaces"]] == ["mount"]
    assert built["hostname"] == ""
    assert built["linux"]["sysctl"] == {}
    shm = next(mount for mount in built["mounts"] if mount["destination"] == "/dev/shm")
    assert shm["type"] == "bind"


def test_another_containers_namespace_is_named_by_its_pid():
    built = build_spec(spec(network_mode="container:x"), inputs(join={"network": 42}))
    assert {"type": "network", "path": "/proc/42/ns/net"} in built["linux"]["namespaces"]


def test_privileged_lifts_everything():
    built = build_spec(spec(privileged=True), inputs(list_devices=lambda path: [{"path": "/dev/x", "type": "c", "major": 1, "minor": 2}]))
    assert built["linux"]["maskedPaths"] == built["linux"]["readonlyPaths"] == []
    assert built["linux"]["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    assert built["linux"]["devices"][0]["path"] == "/dev/x"
    sysfs = next(mount for mount in built["mounts"] if mount["destination"] == "/sys")
    assert "rw" in sysfs["options"]


def test_a_users_mount_takes_the_place_of_a_default_and_parents_come_first():
    points = (
        MountPoint(type="bind", destination="/data/deep", source="/b"),
        MountPoint(type="volume", destination="/data", source="/a", rw=False),
        MountPoint(type="tmpfs", destination="/dev/shm", options=("size=1m",)),
        MountPoint(type="bind", destination="/etc/hosts", source="/my/hosts"),
    )
    built = build_spec(spec(), inputs(mounts=points))
    found = destinations(built)
    assert found.count("/dev/shm") == found.count("/etc/hosts") == 1
    assert found.index("/data") < found.index("/data/deep")
    data = next(mount for mount in built["mounts"] if mount["destination"] == "/data")
    assert data["options"] == ["rbind", "rprivate", "rro"]


def test_shared_propagation_reaches_the_root():
    point = MountPoint(type="bind", destination="/d", source="/s", propagation="rshared")
    assert build_spec(spec(), inputs(mounts=(point,)))["linux"]["rootfsPropagation"] == "shared"


def test_limits_are_translated():
    built = build_spec(spec(memory=64 << 20, nano_cpus=500_000_000, pids_limit=7, cpuset_cpus="0"), inputs())
    limits = built["linux"]["resources"]
    assert limits["memory"] == {"limit": 64 << 20, "swap": 128 << 20}
    assert limits["cpu"] == {"period": 100_000, "quota": 50_000, "cpus": "0"}
    assert limits["pids"] == {"limit": 7}


def test_devices_come_with_their_rule():
    node = {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666, "uid": 0, "gid": 0}
    built = build_spec(spec(devices=(Device("/dev/fuse", "/dev/f", "rw"),)), inputs(list_devices=lambda path: [node]))
    assert built["linux"]["devices"][0]["path"] == "/dev/f"
    assert {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"} in built["linux"]["resources"]["devices"]


def test_a_device_rule_may_name_any_number():
    assert parse_rule("c 1:* rm") == {"allow": True, "type": "c", "access": "rm", "major": 1}


def test_another_user_starts_without_effective_capabilities():
    caps = build_spec(spec(Config(user="www")), inputs())["process"]["capabilities"]
    assert caps["bounding"] == ["CAP_CHOWN"]
    assert caps["effective"] == caps["permitted"] == []


def test_unlimited_is_written_as_the_kernel_writes_it():
    limits = build_spec(spec(ulimits=(Ulimit("core", -1, -1),)), inputs())["process"]["rlimits"]
    assert limits == [{"type": "RLIMIT_CORE", "soft": 2**64 - 1, "hard": 2**64 - 1}]


def test_the_environment_is_dockers():
    words = environment(Config(tty=True, env=("A=1", "PATH=/x", "HOSTNAME")), hostname="h")
    assert words == ["PATH=/x", "TERM=xterm", "A=1"]


def test_a_later_variable_replaces_an_earlier_one_in_its_place():
    assert replace_env(["A=1", "B=2"], ["A=3", "C=4"]) == ["A=3", "B=2", "C=4"]


def test_an_exec_inherits_and_overrides():
    base = build_spec(spec(Config(env=("A=1",), working_dir="/w", user="www")), inputs())["process"]
    run = ExecSpec(id="", container_id="", cmd=("id",), env=("A=2",), user="root", tty=True)
    process = exec_process(spec(Config(user="www")), run, base, ("CAP_CHOWN",))
    assert process["args"] == ["id"]
    assert process["cwd"] == "/w"
    assert "A=2" in process["env"] and "TERM=xterm" in process["env"]
    assert process["capabilities"]["effective"] == ["CAP_CHOWN"]


@pytest.mark.parametrize("path", ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"])
def test_dockers_files_are_mounted(path):
    assert path in destinations(build_spec(spec(), inputs()))


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"sysctls": {"kernel.foo": "1"}}, 'sysctl "kernel.foo" is not in a separate kernel namespace'),
        (
            {"sysctls": {"net.ipv4.ip_forward": "1"}, "network_mode": "host"},
            'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
        ),
        ({"sysctls": {"kernel.msgmax": "1"}, "ipc_mode": "host"}, 'sysctl "kernel.msgmax" is not allowed in the hosts ipc namespace'),
        ({"device_cgroup_rules": ("foo",)}, "invalid device cgroup rule format: 'foo'"),
        ({"device_cgroup_rules": ("x 1:3 rwm",)}, "invalid device cgroup rule format: 'x 1:3 rwm'"),
        ({"device_cgroup_rules": ("c 1:3 rwx",)}, "invalid device cgroup rule format: 'c 1:3 rwx'"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_that_users_know(host, words):
    with pytest.raises(SystemFailureError) as caught:
        build_spec(spec(**host), inputs())
    assert str(caught.value).endswith(words)


def test_settings_of_the_containers_own_namespaces_are_set():
    asked = {"kernel.shmmax": "1000", "net/ipv4/ip_forward": "1", "fs.mqueue.msg_max": "5"}
    assert asked.items() <= build_spec(spec(sysctls=asked), inputs())["linux"]["sysctl"].items()
