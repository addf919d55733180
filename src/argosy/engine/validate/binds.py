"""The grammar of ``-v``: ``[source:]target[:mode]`` (moby ``volume/mounts/linux_parser.go``)."""

import posixpath
from dataclasses import dataclass

from argosy.base.errors import SystemFailureError
from argosy.engine.model import MountPoint

RW_MODES = frozenset({"rw", "ro"})
LABEL_MODES = frozenset({"z", "Z"})
PROPAGATION_MODES = frozenset({"private", "rprivate", "slave", "rslave", "shared", "rshared"})
CONSISTENCY_MODES = frozenset({"consistent", "cached", "delegated"})
COPY_MODES = frozenset({"nocopy"})
_KINDS = (RW_MODES, LABEL_MODES, PROPAGATION_MODES, CONSISTENCY_MODES, COPY_MODES)


@dataclass(frozen=True, slots=True)
class Mode:
    rw: bool = True
    propagation: str = ""
    no_copy: bool = False


def parse_mode(text: str) -> Mode | None:
    """Return the mode, None if it is none: a word that nobody knows, or two of one kind."""
    words = text.split(",") if text else []
    if any(sum(word in kind for word in words) > 1 for kind in _KINDS):
        return None
    if not all(any(word in kind for kind in _KINDS) for word in words):
        return None
    return Mode(
        rw="ro" not in words,
        propagation=next((word for word in words if word in PROPAGATION_MODES), ""),
        no_copy="nocopy" in words,
    )


def parse_bind(text: str, volume_driver: str = "") -> MountPoint:
    """Return the mount point; a volume has its name, or none if it is anonymous, and no source yet.

    Raises SystemFailureError in Docker's words, with its status.
    """
    source, target, mode_text = _split(text)
    mode = parse_mode(mode_text)
    if mode is None:
        raise SystemFailureError(f"invalid mode: {mode_text}")
    kind = "bind" if posixpath.isabs(source) else "volume"
    reason = _wrong(kind, target, mode)
    if reason:
        raise SystemFailureError(f"invalid volume specification: '{text}': invalid mount config for type \"{kind}\": {reason}")
    if kind == "bind":
        return MountPoint(
            type="bind",
            source=clean(source),
            destination=clean(target),
            mode=mode_text,
            rw=mode.rw,
            propagation=mode.propagation or "rprivate",
        )
    return MountPoint(
        type="volume",
        name=source,
        destination=clean(target),
        driver=volume_driver or "local",
        # Docker labels a volume for sharing when nothing is said; inspect shows it.
        mode=mode_text or ("z" if volume_driver in ("", "local") else ""),
        rw=mode.rw,
        no_copy=mode.no_copy,
        anonymous=not source,
    )


def _split(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) > 3 or not parts[0]:
        raise SystemFailureError(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        return "", parts[0], ""
    # "/b:ro" is a target with a mode and no source, which nobody can tell from a source and a target.
    if len(parts) == 2 and parse_mode(parts[1]) is not None:
        raise SystemFailureError(f"invalid volume specification: '{text}'")
    return parts[0], parts[1], parts[2] if len(parts) == 3 else ""


def _wrong(kind: str, target: str, mode: Mode) -> str:
    if not target:
        return "field Target must not be empty"
    if reason := wrong_target(target):
        return reason
    if kind == "bind" and mode.no_copy:
        return "field VolumeOptions must not be specified"
    if kind == "volume" and mode.propagation:
        return "field BindOptions must not be specified"
    return ""


def wrong_target(target: str) -> str:
    """Return why nothing can be mounted there, empty if it can."""
    if clean(target) == "/":
        return "invalid specification: destination can't be '/'"
    if not posixpath.isabs(target):
        return f"invalid mount path: '{target}' mount path must be absolute"
    return ""


def clean(path: str) -> str:
    """Return Go's ``path.Clean``: one slash at the start at most."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned
