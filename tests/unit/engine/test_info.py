"""``docker info``, ``docker version``, ``docker system df``."""

from dataclasses import replace

from argosy.engine.disk_usage import disk_usage, volume_usage
from argosy.engine.info import Counts, InfoSettings, Usage, count, security_options, system_info, usage_now, warnings
from argosy.engine.model import ContainerSpec, MountPoint, State, Status
from argosy.engine.platform import Cgroups, Machine
from argosy.engine.version import version
from argosy.storage.model import VolumeView

MACHINE = Machine(2, "0-1", "0", 1 << 34, "6.1.0", "x86_64", "Debian GNU/Linux 12 (bookworm)", "12", "vm")
SETTINGS = InfoSettings(
    daemon_id="id-1",
    name="vm",
    version="0.1.0",
    data_root="/var/lib/argosy",
    runtimes={"argosy": {"path": "argosy-runtime"}},
    driver_status=(("Backing Filesystem", "extfs"),),
    registry_mirrors=("https://mirror/",),
    insecure_registries=("10.0.0.0/8", "hub.local:5000"),
    address_pools=(("10.9.0.0/16", 24),),
)
# As a running Docker 28 answers, without what only says how it is built.
FIELDS = (
    "ID Containers ContainersRunning ContainersPaused ContainersStopped Images Driver DriverStatus "
    "Plugins MemoryLimit SwapLimit KernelMemoryTCP CpuCfsPeriod CpuCfsQuota CPUShares CPUSet PidsLimit "
    "IPv4Forwarding Debug NFd OomKillDisable NGoroutines SystemTime LoggingDriver CgroupDriver "
    "CgroupVersion NEventsListener KernelVersion OperatingSystem OSVersion OSType Architecture "
    "IndexServerAddress RegistryConfig NCPU MemTotal GenericResources DockerRootDir HttpProxy HttpsProxy "
    "NoProxy Name Labels ExperimentalBuild ServerVersion Runtimes DefaultRuntime Swarm "
    "LiveRestoreEnabled Isolation InitBinary ContainerdCommit RuncCommit InitCommit SecurityOptions "
    "FirewallBackend CDISpecDirs Warnings"
)


def info(settings=SETTINGS, machine=MACHINE, usage=None):
    return system_info(settings, machine, Counts(3, 1, 1, 1, 5), usage or Usage(1_700_000_000_000_000_001, 10, 4, 2))


def test_every_field_of_docker_is_there():
    found = info()
    assert set(FIELDS.split(" ")) - found.keys() == set()
    assert found.keys() - set(FIELDS.split(" ")) == {"DefaultAddressPools"}


def test_values():
    found = info()
    assert (found["Containers"], found["ContainersRunning"], found["Images"], found["NFd"]) == (3, 1, 5, 10)
    assert found["SystemTime"] == "2023-11-14T22:13:20.000000001Z"
    assert found["DriverStatus"] == [["Backing Filesystem", "extfs"]]
    assert found["CgroupDriver"] == "cgroupfs" and found["CgroupVersion"] == "2"
    assert found["OperatingSystem"] == "Debian GNU/Linux 12 (bookworm)" and found["Architecture"] == "x86_64"
    assert found["LiveRestoreEnabled"] is True and found["Swarm"]["LocalNodeState"] == "inactive"
    assert found["DefaultAddressPools"] == [{"Base": "10.9.0.0/16", "Size": 24}]
    assert found["RegistryConfig"]["InsecureRegistryCIDRs"] == ["::1/128", "127.0.0.0/8", "10.0.0.0/8"]
    assert found["RegistryConfig"]["IndexConfigs"]["hub.local:5000"]["Secure"] is False
    assert found["Warnings"] is None
    assert info(machine=replace(MACHINE, in_container=True))["OperatingSystem"].endswith("(containerized)")


def test_security_options_have_dockers_names_and_order():
    everything = replace(MACHINE, apparmor=True)
    settings = replace(
        SETTINGS, selinux=True, userns_remap=True, rootless=True, private_cgroup=True, no_new_privileges=True, seccomp_profile="/p.json"
    )
    assert security_options(settings, everything) == [
        "name=apparmor", "name=seccomp,profile=/p.json", "name=selinux", "name=userns", "name=rootless", "name=cgroupns",
        "name=no-new-privileges",
    ]  # fmt: skip
    assert security_options(SETTINGS, MACHINE) == ["name=seccomp,profile=builtin"]


def machine(**cgroups):
    return replace(MACHINE, cgroups=Cgroups(**cgroups))


def test_only_true_warnings():
    usage = Usage(0)
    assert warnings(machine(), usage) == []
    assert warnings(machine(swap=False), usage) == ["WARNING: No swap limit support"]
    assert warnings(machine(version=1, oom_kill_disable=True, blkio_read_bps=False), usage) == [
        "WARNING: No blkio throttle.read_bps_device support"
    ]
    assert warnings(machine(blkio_read_bps=False), replace(usage, ipv4_forwarding=False)) == [
        "WARNING: No io.max (rbps) support",
        "WARNING: IPv4 forwarding is disabled",
    ]
    apart = replace(MACHINE, apparmor_in_kernel=True)
    assert warnings(apart, usage) == ["WARNING: No AppArmor profile for containers: apparmor_parser is not installed"]
    assert info(settings=replace(SETTINGS, warnings=("WARNING: x",)))["Warnings"] == ["WARNING: x"]


def test_containers_are_counted_by_what_they_do():
    states = [State(status=status) for status in Status]
    assert count(states, 2) == Counts(7, 2, 1, 4, 2)


async def test_usage_is_read_from_the_process():
    found = usage_now(5, 1)
    assert found.time == 5 and found.files > 2 and found.tasks >= 1 and found.listeners == 1


def test_version():
    found = version(MACHINE, engine="1.2", api="1.55", minimum_api="1.24", commit="abc", components=(("argosy-runtime", "1.2", "abc"),))
    engine, runtime = found["Components"]
    assert found["Arch"] == "amd64" and found["Os"] == "linux" and found["GoVersion"].startswith("python3.")
    assert engine["Name"] == "Engine" and engine["Details"]["MinAPIVersion"] == "1.24"
    assert runtime == {"Name": "argosy-runtime", "Version": "1.2", "Details": {"GitCommit": "abc"}}
    assert "Experimental" not in found


class View:
    image_name, endpoints, ports, size_rw = "", {}, {}, None

    def __init__(self, *volumes):
        points = tuple(MountPoint(type="volume", name=name, destination=f"/{number}") for number, name in enumerate(volumes))
        self.spec = ContainerSpec(id="c", name="c", created=1, image_id="", mounts=points)
        self.state = State()


async def test_disk_usage_measures_only_what_is_asked_for():
    asked = []

    def measure(name, value):
        async def found():
            asked.append(name)
            return value

        return found

    parts = {
        "containers": measure("containers", [View()]),
        "images": measure("images", []),
        "volumes": measure("volumes", []),
        "layers_size": measure("layers", 7),
    }
    assert (await disk_usage(["volume"], **parts)).keys() == {"Volumes"} and asked == ["volumes"]
    found = await disk_usage([], **parts)
    assert found["LayersSize"] == 7 and found["BuildCache"] == [] and found.keys() == {
        "LayersSize", "Images", "Containers", "Volumes", "BuildCache",
    }  # fmt: skip


async def test_volumes_are_counted_once_a_container():
    async def size(name):
        return 10

    views = [VolumeView(name, driver, "", 1, {}, {}) for name, driver in (("a", "local"), ("b", "nfs"), ("c", "local"))]
    found = await volume_usage(views, [View("a", "a", "b"), View("a")], size)
    assert [(one.volume.name, one.size, one.references) for one in found] == [("a", 10, 2), ("b", -1, 1), ("c", 10, 0)]
