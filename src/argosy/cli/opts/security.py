"""``--security-opt``."""

from __future__ import annotations

import json

from argosy.cli.opts.error import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def security(options: Iterable[str]) -> dict[str, Any]:
    """Return SecurityOpt, and MaskedPaths and ReadonlyPaths where ``systempaths=unconfined`` empties them. Raises OptionError."""
    out: dict[str, Any] = {}
    kept = []
    for option in options:
        if option == "systempaths=unconfined":
            out.update(MaskedPaths=[], ReadonlyPaths=[])
            continue
        name, separator, value = option.partition("=") if "=" in option else option.partition(":")
        if not separator and option != "no-new-privileges":
            raise OptionError(f'Invalid --security-opt: "{option}"')
        if name == "seccomp" and value not in ("unconfined", "builtin"):
            option = f"seccomp={_profile(value)}"
        kept.append(option)
    if kept:
        out["SecurityOpt"] = kept
    return out


def _profile(path: str) -> str:
    """The daemon may be on another machine: the profile itself is sent."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise OptionError(f"opening seccomp profile ({path}) failed: open {path}: {(error.strerror or '').lower()}") from None
    try:
        return json.dumps(json.loads(content), separators=(",", ":"))
    except ValueError as error:
        raise OptionError(f"compacting json for seccomp profile ({path}) failed: {error}") from None
