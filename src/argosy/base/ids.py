"""Identifiers: 64 hex digits, shown by their first twelve, as Docker's."""

import os
import re

_FULL = re.compile(r"[0-9a-f]{64}\Z")
_PREFIX = re.compile(r"[0-9a-f]{1,64}\Z")

SHORT = 12


def new_id() -> str:
    """Return 64 random hex digits whose first twelve are not all decimal.

    A short id becomes the container's hostname; one that reads as a number confuses programs.
    """
    while True:
        value = os.urandom(32).hex()
        if not value[:SHORT].isdecimal():
            return value


def short(identifier: str) -> str:
    """Return the first twelve digits, without an algorithm in front (``sha256:abc…``)."""
    return identifier.rpartition(":")[2][:SHORT]


def is_id(text: str) -> bool:
    return _FULL.match(text) is not None


def is_id_prefix(text: str) -> bool:
    return _PREFIX.match(text) is not None
