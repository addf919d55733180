"""`inject`: the OCI configuration with what the devices' files say put into it. Pure but for the look at device nodes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from argosy.base.errors import SystemFailureError
from argosy.engine.cdi.load import Found, Registry
from argosy.engine.cdi.model import DeviceNode, Edits, Hook, Mount
from argosy.engine.cdi.requests import unresolvable
from argosy.oci.runtime_spec import RuntimeSpec

Lister = Callable[[str], list[dict[str, Any]]]
"""As `argosy.engine.spec.devices.Lister`."""


def inject(spec: RuntimeSpec, names: Sequence[str], registry: Registry, *, lister: Lister, runs_hooks: bool) -> RuntimeSpec:
    """Return the configuration with these devices in it.

    ``runs_hooks``: the container's runtime is another one (``--runtime runc``); ours runs no program of the host's for a container.
    Raises SystemFailureError for a name that no file gives, in Docker's words, and for hooks that would not be run.
    """
    missing = [name for name in names if name not in registry.devices]
    if missing:
        raise unresolvable(missing)
    found = [registry.devices[name] for name in dict.fromkeys(names)]
    edits = list(_edits(found))
    if not runs_hooks and (hooks := [hook for one in edits for hook in one.hooks]):
        raise SystemFailureError(
            f"CDI device injection failed: {names[0]} has a {hooks[0].hook_name} hook, {hooks[0].path}, "
            "which the built-in runtime does not run: use --runtime runc or --runtime crun"
        )
    built: RuntimeSpec = {**spec, "process": {**spec["process"]}, "linux": {**spec["linux"]}}
    built["linux"]["resources"] = {**spec["linux"]["resources"]}
    for one in edits:
        _apply(built, one, lister)
    return built


def _edits(found: Iterable[Found]) -> Iterable[Edits]:
    seen: set[str] = set()
    for one in found:
        if one.file not in seen:
            seen.add(one.file)
            yield one.common
        yield one.device.container_edits


def _apply(spec: Any, edits: Edits, lister: Lister) -> None:
    process, linux = spec["process"], spec["linux"]
    given = {entry.partition("=")[0] for entry in edits.env}
    process["env"] = [entry for entry in process["env"] if entry.partition("=")[0] not in given] + list(edits.env)
    if edits.additional_gids:
        groups = [*process["user"].get("additionalGroups", ()), *(str(gid) for gid in edits.additional_gids if gid)]
        process["user"] = {**process["user"], "additionalGroups": groups}
    for device in edits.device_nodes:
        node = _node(device, lister)
        linux["devices"] = [one for one in linux["devices"] if one["path"] != device.path] + [node]
        rule = {"allow": True, "type": node["type"], "major": node["major"], "minor": node["minor"], "access": device.permissions or "rwm"}
        linux["resources"]["devices"] = [*linux["resources"]["devices"], rule]
    targets = {mount.container_path for mount in edits.mounts}
    spec["mounts"] = [mount for mount in spec["mounts"] if mount["destination"] not in targets] + [_mount(one) for one in edits.mounts]
    if edits.hooks:
        hooks = {name: list(entries) for name, entries in (spec.get("hooks") or {}).items()}
        for hook in edits.hooks:
            hooks.setdefault(hook.hook_name, []).append(_hook(hook))
        spec["hooks"] = hooks


def _node(device: DeviceNode, lister: Lister) -> dict[str, Any]:
    """What the file leaves out is the host's own node's."""
    node: dict[str, Any] = {"path": device.path, "fileMode": 0o660, "uid": 0, "gid": 0}
    if device.major is None or device.minor is None or not device.type:
        node |= lister(device.host_path or device.path)[0]
    asked = {
        "path": device.path,
        "type": device.type or None,
        "major": device.major,
        "minor": device.minor,
        "fileMode": device.file_mode,
        "uid": device.uid,
        "gid": device.gid,
    }
    return node | {key: value for key, value in asked.items() if value is not None}


def _mount(mount: Mount) -> dict[str, Any]:
    options = list(mount.options)
    kind = mount.type or "bind"
    if kind == "bind" and not {"bind", "rbind"} & set(options):
        options.append("rbind")
    return {"destination": mount.container_path, "type": kind, "source": mount.host_path, "options": options}


def _hook(hook: Hook) -> dict[str, Any]:
    found: dict[str, Any] = {"path": hook.path, "args": list(hook.args), "env": list(hook.env)}
    return found if hook.timeout is None else {**found, "timeout": hook.timeout}
