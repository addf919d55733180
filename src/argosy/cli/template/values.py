"""How Go sees the values that JSON gave us: truth, printing, fields."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Fields that Go's types print as an empty map or as a nil pointer when JSON says null; every other null is an empty list.
_MAPS = frozenset(
    (
        *("Labels", "Annotations", "Options", "Opts", "DriverOpts", "Sysctls", "Tmpfs", "StorageOpt", "ExposedPorts", "Volumes"),
        *("PortBindings", "Ports", "Networks", "Config", "Data", "AuxiliaryAddresses", "LogOpts", "GraphOptions"),
    )
)
_POINTERS = frozenset(
    (
        *("MemorySwappiness", "OomKillDisable", "PidsLimit", "Init", "Health", "IPAMConfig", "Healthcheck", "StopTimeout", "ArgsEscaped"),
        *("Descriptor", "ImageManifestDescriptor", "UsageData", "Status", "ClusterInfo", "StorageConfig", "SizeRw", "SizeRootFs"),
        *("HostConfig", "GraphDriver", "NetworkingConfig"),
    )
)
# Maps from text to text, whose missing entries Go prints as <no value>.
_TEXT_MAPS = frozenset(("Labels", "Annotations", "Options", "Opts", "DriverOpts", "Sysctls", "Tmpfs", "StorageOpt", "Data"))


class Missing:
    """A field that the document lacks: false in a condition, null as JSON, an error when it is printed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class NoValue:
    """What Go prints as ``<no value>``."""

    __slots__ = ()


class Record:
    """Something with named fields that is no JSON object: a row of a list. Subclasses say how a field is found."""

    def field(self, name: str) -> object:
        """Return the field; raises KeyError."""
        raise KeyError(name)

    def plain(self) -> dict[str, Any]:
        """Return what ``{{json .}}`` prints."""
        raise NotImplementedError


def field(of: object, name: str, parent: str = "") -> object:
    """Return a field, a Missing where there is none; raises LookupError when the value can have none."""
    if isinstance(of, Record):
        return of.field(name)
    if isinstance(of, dict):
        if name in of:
            return _typed(of[name], name)
        lowered = name.lower()
        for key, value in of.items():
            # Go's names differ from JSON's in case only: .ID and .Id, .CPUShares and .CpuShares.
            if key.lower() == lowered:
                return _typed(value, name)
        return NoValue() if parent in _TEXT_MAPS else Missing(name)
    raise LookupError(name)


def _typed(value: object, name: str) -> object:
    if value is not None or name in _POINTERS:
        return value
    return {} if name in _MAPS else []


def truth(value: object) -> bool:
    """Go's: false are false, 0, nil, and what has no length."""
    if isinstance(value, Missing | NoValue):
        return False
    return isinstance(value, Record) or bool(value)


def show(value: object, inner: bool = False) -> str:
    """Print as Go's ``%v``."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>" if inner else "<no value>"
    if isinstance(value, NoValue):
        return "<no value>"
    if isinstance(value, float):
        return show_float(value)
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{show(value[key], True)}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(show(item, True) for item in value) + "]"
    if isinstance(value, Record):
        return show(value.plain())
    return str(value)


def show_float(value: float) -> str:
    """Go's ``%v`` of a float64: ``%g`` with the shortest digits, exponents from 21 on."""
    if abs(value) < 1e21 and value == int(value):
        return str(int(value))
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        sign = "-" if exponent.startswith("-") else "+"
        return f"{mantissa.removesuffix('.0')}e{sign}{exponent.lstrip('+-').zfill(2)}"
    return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(text, text)


def plain(value: object) -> object:
    """Return what JSON can express."""
    if isinstance(value, Record):
        return value.plain()
    return None if isinstance(value, Missing | NoValue) else value


def to_json(value: object) -> str:
    """Print as docker's ``json`` function: compact, as it came, no HTML escapes."""
    import json

    text = json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, Record):
        # Go's json.Marshal escapes what HTML minds, which docker turns off for documents but not for rows.
        text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text
