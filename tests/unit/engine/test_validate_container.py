"""`at_create` and `at_update`: each wrong request gets the words, and the status, that a running Docker 28 gave."""

from dataclasses import replace

import msgspec
import pytest

from argosy.base.errors import ArgosyError, ConflictError, InvalidParameterError, SystemFailureError
from argosy.engine.model import HostConfig, LogConfig, RestartPolicy, WeightDevice
from argosy.engine.platform import Cgroups, Machine
from argosy.engine.validate import Limits, at_create, at_update, supported
from argosy.network.model import PortBinding
from argosy.oci.config import Config, Healthcheck

V1 = Cgroups(version=1, memory_swappiness=True, oom_kill_disable=True, cpu_realtime=True, blkio_weight=False, blkio_weight_device=False)
MACHINE = Machine(2, "0-1", "0", 1 << 34, "6.1.0", "x86_64", "Debian", "12", "vm", V1)
MB = 1 << 20
INVALID, FAILURE, CONFLICT = InvalidParameterError, SystemFailureError, ConflictError


def create(config=None, limits=None, machine=MACHINE, **host):
    return at_create(config or Config(), HostConfig(**host), machine=machine, limits=limits or Limits())[1]


RANGE = "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"
PERIOD = "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"memory": -1}, "Minimum memory limit allowed is 6MB"),
        ({"memory": 1000}, "Minimum memory limit allowed is 6MB"),
        ({"memory": 8 * MB, "memory_swap": 7 * MB}, "Minimum memoryswap limit should be larger than memory limit, see usage"),
        ({"memory_swap": 7 * MB}, "You should always set the Memory limit when using Memoryswap limit, see usage"),
        ({"memory": 8 * MB, "memory_reservation": 9 * MB}, "Minimum memory limit can not be less than memory reservation limit, see usage"),
        ({"memory_reservation": 1}, "Minimum memory reservation allowed is 6MB"),
        ({"memory_swappiness": 101}, "Invalid value: 101, valid memory swappiness range is 0-100"),
        ({"memory_swappiness": -2}, "Invalid value: -2, valid memory swappiness range is 0-100"),
        ({"nano_cpus": 10**10}, RANGE),
        ({"nano_cpus": -1}, RANGE),
        ({"memory_swap": -2}, "Invalid value: -2, a memoryswap limit is positive, 0 (as much swap as memory) or -1 (unlimited)"),
        # A Docker takes it, and its start fails at the kernel.
        ({"nano_cpus": 1000}, RANGE),
        ({"nano_cpus": 10**9, "cpu_period": 1000}, "Conflicting options: Nano CPUs and CPU Period cannot both be set"),
        ({"nano_cpus": 10**9, "cpu_quota": 1000}, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"),
        ({"cpu_period": 100}, PERIOD),
        ({"cpu_period": -5}, PERIOD),
        ({"cpu_period": 10**7}, PERIOD),
        ({"cpu_quota": 1}, "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
        ({"cpu_shares": -1}, "invalid CPU shares (-1): value must be a positive integer"),
        ({"cpu_realtime_runtime": 10, "cpu_realtime_period": 5}, "cpu real-time runtime cannot be higher than cpu real-time period"),
        ({"cpuset_cpus": "9"}, "Requested CPUs are not available - requested 9, available: 0-1"),
        ({"cpuset_cpus": "x"}, "Invalid value x for cpuset cpus: invalid format: x"),
        ({"cpuset_cpus": "0-"}, "Invalid value 0- for cpuset cpus: invalid format: 0-"),
        ({"cpuset_cpus": "1-0"}, "Invalid value 1-0 for cpuset cpus: invalid format: 1-0"),
        ({"cpuset_cpus": "0-99999999999"}, "Invalid value 0-99999999999 for cpuset cpus: invalid format: 0-99999999999"),
        ({"cpuset_mems": "5"}, "Requested memory nodes are not available - requested 5, available: 0"),
        ({"oom_score_adj": 1001}, "Invalid value 1001, range for oom score adj is [-1000, 1000]"),
        ({"shm_size": -1}, "SHM size can not be less than 0"),
        ({"io_maximum_bandwidth": 5}, "invalid option: QoS maximum bandwidth configuration is not supported on linux"),
        ({"io_maximum_iops": 5}, "invalid option: QoS maximum IOPs configuration is not supported on linux"),
        (
            {"restart_policy": RestartPolicy("foo")},
            "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
        ),
        (
            {"restart_policy": RestartPolicy("always", 3)},
            "invalid restart policy: maximum retry count can only be used with 'on-failure'",
        ),
        ({"restart_policy": RestartPolicy("", 3)}, "invalid restart policy: maximum retry count can only be used with 'on-failure'"),
        ({"restart_policy": RestartPolicy("on-failure", -3)}, "invalid restart policy: maximum retry count cannot be negative"),
        ({"restart_policy": RestartPolicy("always"), "auto_remove": True}, "can't create 'AutoRemove' container with restart policy"),
        ({"cap_add": ("FOO",)}, 'invalid CapAdd: unknown capability: "CAP_FOO"'),
        ({"cap_drop": ("cap_all",)}, 'invalid CapDrop: unknown capability: "CAP_ALL"'),
        ({"isolation": "process"}, "invalid isolation (process): linux only supports 'default'"),
        ({"port_bindings": {"foo/tcp": (PortBinding(),)}}, 'invalid port specification: "foo"'),
        ({"port_bindings": {"80/tcp": (PortBinding("", "x"),)}}, 'invalid port specification: "x"'),
        ({"port_bindings": {"80/tcp": (PortBinding("", "99999"),)}}, 'invalid port specification: "99999"'),
        ({"port_bindings": {"99999/tcp": ()}}, 'invalid port specification: "99999"'),
        ({"ipc_mode": "foo"}, "invalid IPC mode: foo"),
        ({"pid_mode": "foo"}, "invalid PID mode: foo"),
        ({"pid_mode": "container:"}, "invalid PID mode: container:"),
        ({"uts_mode": "foo"}, "invalid UTS mode: foo"),
        ({"cgroupns_mode": "foo"}, "invalid cgroup namespace mode: foo"),
        ({"network_mode": "container:"}, "invalid network mode: invalid container format container:<name|id>"),
        ({"extra_hosts": ("foo",)}, 'bad format for add-host: "foo"'),
        ({"extra_hosts": ("foo:bar",)}, 'invalid IP address in add-host: "bar"'),
        ({"annotations": {"": "x"}}, "invalid Annotations: the empty string is not permitted as an annotation key"),
        ({"log_config": LogConfig("foo")}, 'error looking up logging plugin foo: plugin "foo" not found'),
        ({"log_config": LogConfig("json-file", {"x": "y"})}, "unknown log opt 'x' for json-file log driver"),
        ({"log_config": LogConfig("", {"x": "y"})}, "unknown log opt 'x' for json-file log driver"),
        ({"log_config": LogConfig("local", {"x": "y"})}, "unknown log opt 'x' for log driver local"),
        ({"log_config": LogConfig("syslog", {"x": "y"})}, "unknown log opt 'x' for syslog log driver"),
        ({"log_config": LogConfig("journald", {"max-size": "1"})}, "unknown log opt 'max-size' for journald log driver"),
        ({"log_config": LogConfig("json-file", {"mode": "foo"})}, "logger: logging mode not supported: foo"),
        (
            {"log_config": LogConfig("json-file", {"mode": "non-blocking", "max-buffer-size": "x"})},
            "error parsing option max-buffer-size: invalid size: 'x'",
        ),
        (
            {"log_config": LogConfig("json-file", {"max-buffer-size": "4m"})},
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
        ),
        ({"log_config": LogConfig("syslog", {"syslog-address": "foo"})}, "unsupported scheme: ''"),
        ({"log_config": LogConfig("syslog", {"syslog-facility": "foo"})}, "invalid syslog facility"),
        ({"log_config": LogConfig("syslog", {"syslog-format": "foo"})}, "Invalid syslog format"),
    ],
)
def test_wrong_host_configurations(host, words):
    with pytest.raises(InvalidParameterError) as error:
        create(**host)
    assert str(error.value) == words


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config(env=("=x",)), "invalid environment variable: =x"),
        (Config(env=("",)), "invalid environment variable: "),
        (Config(working_dir="../foo"), "the working directory '../foo' is invalid, it needs to be an absolute path"),
        (Config(stop_signal="FOO"), "invalid signal: FOO"),
        (Config(stop_signal="0"), "invalid signal: 0"),
        (Config(healthcheck=Healthcheck(interval=1)), "Interval in Healthcheck cannot be less than 1ms"),
        (Config(healthcheck=Healthcheck(interval=-1)), "Interval in Healthcheck cannot be less than 1ms"),
        (Config(healthcheck=Healthcheck(timeout=1)), "Timeout in Healthcheck cannot be less than 1ms"),
        (Config(healthcheck=Healthcheck(retries=-1)), "Retries in Healthcheck cannot be negative"),
        (Config(healthcheck=Healthcheck(start_period=1)), "StartPeriod in Healthcheck cannot be less than 1ms"),
        (Config(healthcheck=Healthcheck(start_interval=1)), "StartInterval in Healthcheck cannot be less than 1ms"),
    ],
)
def test_wrong_configurations(config, words):
    with pytest.raises(InvalidParameterError) as error:
        create(config)
    assert str(error.value) == words


def test_security_options_fail_with_dockers_status():
    with pytest.raises(SystemFailureError, match='invalid --security-opt 1: "foo"'):
        create(security_opt=("foo",))


@pytest.mark.parametrize(
    "host",
    [
        {"memory": 8 * MB, "memory_swap": -1},
        {"memory_reservation": -1},
        {"memory_swappiness": -1},
        {"nano_cpus": 2 * 10**9},
        {"cpu_quota": -1},
        {"cpuset_cpus": "0,1", "cpuset_mems": "0"},
        {"pids_limit": -5},
        {"oom_score_adj": -1000},
        {"cap_add": ("all", "CAP_sys_admin")},
        {"ipc_mode": "container:xx"},
        {"port_bindings": {"90/udp": None, "80": (PortBinding("", "8000-8010"),)}},
        {"extra_hosts": ("foo:1.2.3.4", "foo:::1", "foo=[::1]", "foo:host-gateway")},
        {"log_config": LogConfig("none", {"x": "y"})},
        {"log_config": LogConfig("json-file", {"max-size": "x", "labels": "a", "tag": "{{.ID}}"})},
        {"log_config": LogConfig("syslog", {"syslog-address": "udp://127.0.0.1:514", "syslog-facility": "local3"})},
        {"userns_mode": "host"},
    ],
)
def test_what_docker_takes_without_a_word(host):
    assert create(**host) == ()


def test_configurations_that_docker_takes():
    for signal in ("SIGTERM", "term", "99", "SIGRTMIN+3", "RTMAX-1", "9"):
        assert create(Config(stop_signal=signal)) == ()
    assert create(Config(env=("A", "A=", "A=b=c"), working_dir="/x", healthcheck=Healthcheck(test=("CMD", "x"), interval=10**6))) == ()


def test_a_remapped_daemon_gives_no_host_namespaces():
    limits = Limits(userns_remap=True)
    with pytest.raises(ArgosyError, match="privileged mode is incompatible with user namespaces"):
        create(limits=limits, privileged=True)
    with pytest.raises(InvalidParameterError, match="cannot share the host's network namespace"):
        create(limits=limits, network_mode="host")
    with pytest.raises(InvalidParameterError, match="cannot share the host PID namespace"):
        create(limits=limits, pid_mode="host")
    assert create(limits=limits, privileged=True, userns_mode="host") == ()


def test_runtimes_and_slices():
    with pytest.raises(InvalidParameterError, match="unknown or invalid runtime name: foo"):
        create(limits=Limits(runtimes={"argosy"}), runtime="foo")
    with pytest.raises(InvalidParameterError, match="valid slice named as"):
        create(limits=Limits(systemd_cgroup=True), cgroup_parent="/foo")
    assert create(limits=Limits(systemd_cgroup=True), cgroup_parent="foo.slice") == ()


def test_warnings():
    assert create(blkio_weight=5) == ("Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",)
    assert create(oom_kill_disable=True)[0].startswith("OOM killer is disabled for the container, but no memory limit is set")
    assert create(oom_kill_disable=True, memory=8 * MB) == ()
    assert create(network_mode="host", port_bindings={"80/tcp": (PortBinding(),)}) == (
        "Published ports are discarded when using host network mode",
    )
    off = replace(MACHINE, ipv4_forwarding=False)
    assert create(machine=off) == ()
    assert create(machine=off, limits=Limits(ip_forward=False)) == ("IPv4 forwarding is disabled. Networking will not work.",)


def test_what_the_kernel_lacks_is_discarded_with_a_warning_each():
    none = Cgroups(version=2, **dict.fromkeys([name for name in Cgroups.__dataclass_fields__ if name != "version"], False))
    host = HostConfig(
        memory=8 * MB,
        memory_reservation=7 * MB,
        memory_swappiness=5,
        oom_kill_disable=True,
        pids_limit=5,
        cpu_shares=5,
        cpu_quota=5000,
        cpuset_cpus="0",
        blkio_weight=50,
        blkio_weight_device=(WeightDevice("/dev/sda", 50),),
    )
    kept, warnings = supported(host, replace(MACHINE, cgroups=none))
    assert len(warnings) == 10 and all(text.startswith("Your kernel does not support") for text in warnings)
    assert kept == HostConfig(memory_swap=-1)
    with pytest.raises(InvalidParameterError, match="NanoCPUs can not be set"):
        create(machine=replace(MACHINE, cgroups=none), nano_cpus=10**9)


def test_swap_limits_are_discarded_alone():
    kept, warnings = supported(HostConfig(memory=8 * MB, memory_swap=9 * MB), replace(MACHINE, cgroups=replace(V1, swap=False)))
    assert kept.memory == 8 * MB and kept.memory_swap == -1
    assert warnings == ("Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",)


# -- update

CURRENT = HostConfig(memory=32 * MB, memory_swap=64 * MB, nano_cpus=10**9, restart_policy=RestartPolicy("no"))


@pytest.mark.parametrize(
    ("current", "changes", "kind", "words"),
    [
        (CURRENT, {"memory": 1000}, INVALID, "Minimum memory limit allowed is 6MB"),
        (
            CURRENT,
            {"memory": 100 * MB},
            CONFLICT,
            "Cannot update container abc: Memory limit should be smaller than already set memoryswap limit, "
            "update the memoryswap at the same time",
        ),
        (
            CURRENT,
            {"memory": 100 * MB, "memory_swap": 50 * MB},
            INVALID,
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            CURRENT,
            {"cpu_period": 10000},
            CONFLICT,
            "Cannot update container abc: Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set",
        ),
        (
            HostConfig(cpu_period=10000),
            {"nano_cpus": 10**9},
            CONFLICT,
            "Cannot update container abc: Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set",
        ),
        (CURRENT, {"nano_cpus": 10**10}, INVALID, RANGE),
        (CURRENT, {"cpuset_cpus": "7"}, INVALID, "Requested CPUs are not available - requested 7, available: 0-1"),
        (
            msgspec.structs.replace(CURRENT, auto_remove=True),
            {"restart_policy": RestartPolicy("always")},
            CONFLICT,
            "Cannot update container abc: Restart policy cannot be updated because AutoRemove is enabled for the container",
        ),
    ],
)
def test_wrong_updates(current, changes, kind, words):
    with pytest.raises(ArgosyError) as error:
        at_update(current, changes, machine=MACHINE, container_id="abc")
    assert type(error.value) is kind and str(error.value) == words


def test_an_update_changes_what_is_given():
    host, warnings = at_update(
        CURRENT,
        {"memory": 100 * MB, "memory_swap": 200 * MB, "cpu_shares": 0, "pids_limit": 7, "restart_policy": RestartPolicy("always")},
        machine=MACHINE,
    )
    assert warnings == ()
    assert (host.memory, host.memory_swap, host.pids_limit, host.restart_policy.name) == (100 * MB, 200 * MB, 7, "always")
    assert host.nano_cpus == 10**9
    assert at_update(CURRENT, {}, machine=MACHINE) == (CURRENT, ())
    assert at_update(CURRENT, {"memory_swap": 200 * MB}, machine=MACHINE)[0].memory_swap == 200 * MB


def test_updates_warn_about_what_the_kernel_lacks():
    assert at_update(CURRENT, {"blkio_weight": 5}, machine=MACHINE)[1] == (
        "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
    )
