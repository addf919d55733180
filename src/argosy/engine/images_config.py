"""How a container takes over its image's configuration: Docker's merge rules (moby ``daemon/config.go: merge``). Pure."""

import msgspec

from argosy.base.errors import InvalidParameterError
from argosy.oci.config import Config, Healthcheck


def merge(asked: Config, image: Config) -> Config:
    """Return ``asked`` with what it leaves open filled in from ``image``.

    Env and labels are united by key, the container's own winning; an entrypoint given by the user drops the image's
    command; exposed ports and volumes are united. Raises InvalidParameterError when nothing is left to run.
    """
    entrypoint, cmd, escaped = asked.entrypoint, asked.cmd, asked.args_escaped
    if not entrypoint:
        if not cmd:
            cmd, escaped = image.cmd, image.args_escaped
        if entrypoint is None:
            entrypoint = image.entrypoint
    if entrypoint == ("",):
        entrypoint = None
    merged = msgspec.structs.replace(
        asked,
        user=asked.user or image.user,
        exposed_ports={**(image.exposed_ports or {}), **(asked.exposed_ports or {})} or None,
        env=merge_env(asked.env or (), image.env or ()),
        labels={**(image.labels or {}), **(asked.labels or {})},
        entrypoint=entrypoint,
        cmd=cmd,
        args_escaped=escaped,
        healthcheck=merge_healthcheck(asked.healthcheck, image.healthcheck),
        working_dir=asked.working_dir or image.working_dir,
        volumes={**(image.volumes or {}), **(asked.volumes or {})} or None,
        stop_signal=asked.stop_signal or image.stop_signal,
        stop_timeout=asked.stop_timeout if asked.stop_timeout is not None else image.stop_timeout,
        shell=asked.shell or image.shell,
        on_build=image.on_build if asked.on_build is None else asked.on_build,
    )
    if not merged.entrypoint and not merged.cmd:
        raise InvalidParameterError("no command specified")
    return merged


def merge_env(own: tuple[str, ...], image: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``own`` followed by the image's variables that it does not set."""
    keys = {entry.partition("=")[0] for entry in own}
    return own + tuple(entry for entry in image if entry.partition("=")[0] not in keys)


def merge_healthcheck(own: Healthcheck | None, image: Healthcheck | None) -> Healthcheck | None:
    """Return the container's check with unset parts from the image's; a test of its own keeps its own test."""
    if own is None or image is None:
        return own or image
    return Healthcheck(
        test=own.test or image.test,
        interval=own.interval or image.interval,
        timeout=own.timeout or image.timeout,
        retries=own.retries or image.retries,
        start_period=own.start_period or image.start_period,
        start_interval=own.start_interval or image.start_interval,
    )


def command(config: Config) -> tuple[str, tuple[str, ...]]:
    """Return (Path, Args) of inspect: entrypoint and command joined."""
    words = (config.entrypoint or ()) + (config.cmd or ())
    return words[0], words[1:]
