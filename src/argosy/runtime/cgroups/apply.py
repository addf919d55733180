"""Write settings into a cgroup's directories, and say what could not be."""

import os

from argosy.runtime.cgroups import files
from argosy.runtime.cgroups.limits import Setting, block_weight_to_io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_EINVAL, _EBUSY = 22, 16


def apply(settings: list[Setting], directory_of: "Callable[[str], str | None]") -> list[str]:
    """Write each setting; return warnings for what this kernel lacks. Raises OSError when the kernel refuses a value.

    A value that is refused only because another has to change first (memory above memory+swap, quota against period)
    is tried again after the others.
    """
    warnings: list[str] = []
    later: list[Setting] = []
    for setting in settings:
        if not _write(setting, directory_of, warnings, again=False):
            later.append(setting)
    for setting in later:
        _write(setting, directory_of, warnings, again=True)
    return list(dict.fromkeys(warnings))


def _write(setting: Setting, directory_of: "Callable[[str], str | None]", warnings: list[str], *, again: bool) -> bool:
    directory = directory_of(setting.controller)
    path = _existing(directory, setting.file) if directory else None
    if path is None:
        if setting.needed:
            raise OSError(2, setting.why or f"the cgroup file {setting.file} does not exist on this host", setting.file)
        warnings.append(setting.why or f"{setting.file} is not offered by this kernel. Limitation discarded.")
        return True
    try:
        files.write(path, _converted(path, setting.value))
    except OSError as error:
        if not again and error.errno in (_EINVAL, _EBUSY):
            return False
        if error.errno == _EBUSY and setting.file.endswith("limit_in_bytes"):
            usage = files.read_or(f"{directory}/memory.usage_in_bytes").strip()
            peak = files.read_or(f"{directory}/memory.max_usage_in_bytes").strip()
            text = f"unable to set memory limit to {setting.value} (current usage: {usage}, peak usage: {peak})"
            raise OSError(_EBUSY, text, path) from error
        raise
    return True


def _existing(directory: str, names: str) -> "str | None":
    """``a|b``: the first that the kernel offers."""
    for name in names.split("|"):
        path = f"{directory}/{name}"
        if os.path.exists(path):
            return path
    return None


def _converted(path: str, value: str) -> str:
    """io.weight counts from 1 to 10000 where bfq and v1 count from 10 (or 1) to 1000."""
    if not path.endswith("/io.weight"):
        return value
    device, space, weight = value.rpartition(" ")
    return f"{device}{space}{block_weight_to_io(int(weight))}"
