"""Cache keys: digests of everything that decides a step's result, and of nothing else. Pure.

A step stands on *files*, named by their chain ID, not on the steps that made them: whatever brought the same files, what
follows is found again. And what does not change files (a label) does not make later steps another thing.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec

_VERSION = 1
"""Raised when the same key would mean another result than before."""


def key(kind: str, chain: str | None, *parts: Any) -> str:
    """Return 64 hex digits for a step of that kind on the files with that chain ID; ``parts`` are JSON values."""
    text = json.dumps([_VERSION, kind, chain or "", *parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def state(chain: str | None, config: Any, history: Sequence[str]) -> str:
    """Return the key of files and configuration together, with the words of the history that led there."""
    return key("state", chain, msgspec.to_builtins(config), list(history))
