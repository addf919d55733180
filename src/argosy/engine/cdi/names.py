"""Names of devices: ``vendor/class=name`` (SPEC.md, "Kind", "Devices"). Pure."""

import re

_VENDOR = r"[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
_CLASS = r"[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?"
KIND = re.compile(rf"{_VENDOR}/{_CLASS}\Z")
NAME = re.compile(rf"{_NAME}\Z")


def is_qualified(text: str) -> bool:
    """Return whether it names a device of a vendor, as ``--device`` takes it beside paths."""
    kind, equals, name = text.partition("=")
    return bool(equals and KIND.match(kind) and NAME.match(name))
