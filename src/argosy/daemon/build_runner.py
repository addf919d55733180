"""`build.ports.Runner` on the engine's transient containers: a step of a build in the engine's words."""

from argosy.build.ports import Bind, Heard, RunStep, Tmpfs
from argosy.engine.model import Config, ContainerSpec, HostConfig, MountPoint, Ulimit
from argosy.engine.transient import Transient

_HOSTNAME = "buildsandbox"
"""The same in every build, so that it makes no difference where it gets into a file."""


class BuildRunner:
    def __init__(self, transient: Transient) -> None:
        self._transient = transient

    async def run(self, step: RunStep, heard: Heard) -> int:
        record = await self._transient.run(self._transient.settle(_spec(step)), step.root, heard)
        return record.exit_code


def _spec(step: RunStep) -> ContainerSpec:
    limits = step.limits
    host = HostConfig(
        network_mode=step.network if step.network != "default" else "",
        extra_hosts=step.extra_hosts or None,
        memory=limits.memory,
        memory_swap=limits.memory_swap,
        cpu_shares=limits.cpu_shares,
        cpu_period=limits.cpu_period,
        cpu_quota=limits.cpu_quota,
        cpuset_cpus=limits.cpuset_cpus,
        cpuset_mems=limits.cpuset_mems,
        shm_size=limits.shm_size,
        cgroup_parent=limits.cgroup_parent,
        ulimits=tuple(Ulimit(*limit) for limit in limits.ulimits) or None,
    )
    return ContainerSpec(
        id=step.id,
        name=step.id[:12],
        created=0,
        image_id="",
        # Another container's network comes with its host name.
        config=Config(
            hostname="" if step.network.startswith("container:") else _HOSTNAME, user=step.user, env=step.env, working_dir=step.cwd
        ),
        host=host,
        mounts=tuple(_point(mount) for mount in step.mounts),
        path=step.args[0],
        args=step.args[1:],
    )


def _point(mount: Bind | Tmpfs) -> MountPoint:
    if isinstance(mount, Bind):
        # What is bound into a step is a copy of the builder's own: it has the container's ids.
        return MountPoint(type="bind", destination=mount.target, source=mount.source, rw=not mount.readonly, mapped=True)
    return MountPoint(type="tmpfs", destination=mount.target, options=(f"size={mount.size}",) if mount.size else ())
