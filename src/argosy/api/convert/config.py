"""The portable configuration on the wire: of a container (``Config``) and of an image."""

from typing import Any

import msgspec

from argosy.oci.config import Config, Healthcheck


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def healthcheck(check: Healthcheck) -> dict[str, Any]:
    wire: dict[str, Any] = {"Test": list(check.test)} if check.test else {}
    optional = (
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
        ("StartInterval", check.start_interval),
        ("Retries", check.retries),
    )
    wire.update((name, value) for name, value in optional if value)
    return wire


def container_config(config: Config, version: int) -> dict[str, Any]:
    """Return ``Config`` of container inspect (also of image inspect before 1.50)."""
    wire: dict[str, Any] = {
        "Hostname": config.hostname,
        "Domainname": config.domainname,
        "User": config.user,
        "AttachStdin": config.attach_stdin,
        "AttachStdout": config.attach_stdout,
        "AttachStderr": config.attach_stderr,
    }
    if config.exposed_ports:
        wire["ExposedPorts"] = {port: {} for port in sorted(config.exposed_ports)}
    wire |= {
        "Tty": config.tty,
        "OpenStdin": config.open_stdin,
        "StdinOnce": config.stdin_once,
        "Env": _list(config.env),
        "Cmd": _list(config.cmd),
    }
    if config.healthcheck is not None:
        wire["Healthcheck"] = healthcheck(config.healthcheck)
    if config.args_escaped:
        wire["ArgsEscaped"] = True
    wire |= {
        "Image": config.image,
        "Volumes": None if config.volumes is None else {path: {} for path in config.volumes},
        "WorkingDir": config.working_dir,
        "Entrypoint": _list(config.entrypoint),
    }
    if config.network_disabled:
        wire["NetworkDisabled"] = True
    if config.mac_address and version < 52:
        wire["MacAddress"] = config.mac_address
    if config.on_build or version < 52:
        wire["OnBuild"] = _list(config.on_build)
    wire["Labels"] = dict(config.labels or {})
    return wire | _container_tail(config)


def _container_tail(config: Config) -> dict[str, Any]:
    tail: dict[str, Any] = {}
    if config.stop_signal:
        tail["StopSignal"] = config.stop_signal
    if config.stop_timeout is not None:
        tail["StopTimeout"] = config.stop_timeout
    if config.shell:
        tail["Shell"] = list(config.shell)
    return tail


_CONTAINER_ONLY = ("AttachStderr", "AttachStdin", "AttachStdout", "Domainname", "Hostname", "Image", "OpenStdin", "StdinOnce", "Tty")
_NO_CONTAINER: dict[str, Any] = {
    "attach_stderr": False,
    "attach_stdin": False,
    "attach_stdout": False,
    "domainname": "",
    "hostname": "",
    "image": "",
    "open_stdin": False,
    "stdin_once": False,
    "tty": False,
}
_NULL_WHEN_EMPTY = ("Cmd", "Entrypoint", "Env", "Labels", "OnBuild", "Volumes")


def image_config(config: Config, version: int) -> dict[str, Any]:
    """Return ``Config`` of image inspect.

    Up to 1.49 it had the fields of a container's, empty; what is empty is null, and left out from 1.52 on (OCI image
    specification).
    """
    wire = container_config(msgspec.structs.replace(config, **_NO_CONTAINER), version)
    wire["Labels"] = dict(config.labels or {})
    wire["OnBuild"] = _list(config.on_build)
    for name in ("NetworkDisabled", "MacAddress", "StopTimeout"):
        wire.pop(name, None)
    if version >= 50:
        for name in _CONTAINER_ONLY:
            wire.pop(name, None)
    for name in _NULL_WHEN_EMPTY:
        wire[name] = wire[name] or None
    if version >= 52:
        for name in (*_NULL_WHEN_EMPTY, "User", "WorkingDir"):
            if not wire[name]:
                del wire[name]
    return wire
