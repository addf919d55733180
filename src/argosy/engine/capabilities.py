"""Which capabilities a container holds: Docker's default set, ``--cap-add``, ``--cap-drop``, ``ALL``. Pure.

moby ``oci/caps.TweakCapabilities``; names of capabilities(7), with or without ``CAP_``, in any case.
"""

from collections.abc import Collection, Sequence

from argosy.base.errors import InvalidParameterError
from argosy.linux.capabilities import NAMES

ALL = "ALL"
DEFAULT = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
)
"""In dockerd's order, which ``inspect`` of the OCI configuration shows."""


def normalise(names: Sequence[str] | None, *, known: Collection[str] = NAMES) -> tuple[str, ...]:
    """Return the names in full, upper case, without repetition; ``ALL`` stays. Raises InvalidParameterError."""
    found = []
    for name in names or ():
        full = name.upper()
        if full != ALL:
            full = full if full.startswith("CAP_") else f"CAP_{full}"
            if full not in known:
                raise InvalidParameterError(f'unknown capability: "{full}"')
        found.append(full)
    return tuple(dict.fromkeys(found))


def check(add: Sequence[str] | None, drop: Sequence[str] | None, *, available: Collection[str] = NAMES) -> None:
    """Raises InvalidParameterError ``invalid CapAdd: unknown capability: "CAP_FOO"``, or when the daemon itself lacks it."""
    for field, names in (("CapAdd", add), ("CapDrop", drop)):
        try:
            found = normalise(names)
        except InvalidParameterError as error:
            raise InvalidParameterError(f"invalid {field}: {error}") from error
        for name in found:
            if name != ALL and name not in available:
                raise InvalidParameterError(
                    f'invalid {field}: capability not supported by your kernel or not available in the current environment: "{name}"'
                )


def capabilities(
    add: Sequence[str] | None, drop: Sequence[str] | None, privileged: bool, *, known: Sequence[str] = NAMES
) -> tuple[str, ...]:
    """Return the capabilities held, in a stable order. ``known``: those that this kernel has.

    Privileged: all. ``--cap-add ALL``: all but those dropped by name. ``--cap-drop ALL``: only those added. Otherwise the defaults
    without those dropped, then those added.
    """
    if privileged:
        return tuple(known)
    added, dropped = normalise(add), normalise(drop)
    if ALL in added:
        chosen = [name for name in known if name not in dropped]
    elif ALL in dropped:
        chosen = [name for name in added if name in known]
    else:
        chosen = [name for name in DEFAULT if name in known and name not in dropped]
        chosen += [name for name in added if name not in chosen and name in known]
    return tuple(chosen)
