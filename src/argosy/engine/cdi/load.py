"""Reading the specification directories. A later directory's device hides an earlier one's; two of one directory hide both."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from argosy.engine.cdi.model import Device, Edits, File
from argosy.engine.cdi.names import KIND, NAME

_ENDINGS = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Found:
    """One device: its own edits come after those of its file, which are made once for all its devices."""

    device: Device
    file: str
    common: Edits


@dataclass(frozen=True, slots=True)
class Registry:
    devices: Mapping[str, Found] = field(default_factory=dict)
    """By qualified name."""
    errors: Sequence[str] = ()
    """Files that could not be read, and names that two files of one directory give."""


def load(directories: Sequence[str]) -> Registry:
    """Return what the directories hold now; they change while the daemon runs (drivers are installed, devices plugged in)."""
    devices: dict[str, Found] = {}
    errors: list[str] = []
    for directory in directories:
        devices |= _directory(directory, errors)
    return Registry(devices, errors)


def _directory(directory: str, errors: list[str]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    twice: set[str] = set()
    for path in _files(directory):
        try:
            file = _read(path)
        except (OSError, ValueError) as error:
            errors.append(f"failed to load CDI Spec {path}: {error}")
            continue
        for device in file.devices:
            name = f"{file.kind}={device.name}"
            if name in found:
                errors.append(f"conflicting device {name} (specs {found[name].file}, {path})")
                twice.add(name)
            found[name] = Found(device, path, file.container_edits)
    return {name: one for name, one in found.items() if name not in twice}


def _files(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [os.path.join(directory, name) for name in names if name.endswith(_ENDINGS)]


def _read(path: str) -> File:
    """Raises OSError and ValueError."""
    with open(path, "rb") as handle:
        text = handle.read()
    if path.endswith(".json"):
        file = msgspec.json.decode(text, type=File)
    else:
        # Loaded for those alone who have such a file.
        import yaml

        try:
            file = msgspec.convert(yaml.safe_load(text), File)
        except yaml.YAMLError as error:
            raise ValueError(f"no YAML: {error}") from error
    if not KIND.match(file.kind):
        raise ValueError(f"invalid kind {file.kind!r}")
    if wrong := [device.name for device in file.devices if not NAME.match(device.name)]:
        raise ValueError(f"invalid device name {wrong[0]!r}")
    return file
