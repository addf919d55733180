"""Sizes, numbers and switches as ``--log-opt`` gives them, and what a file driver makes of them; Docker's words for what is none."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


class LogOptionError(ValueError):
    """The log cannot be opened as asked; the text is Docker's."""


def parse_size(text: str) -> int:
    """Return bytes of ``10m`` (go-units ``FromHumanSize`` is decimal, but log sizes are read by ``RAMInBytes``); -1: no limit."""
    if text == "-1":
        return -1
    body = text.strip().lower().removesuffix("b").removesuffix("i")
    number, unit = (body[:-1], body[-1]) if body[-1:].isalpha() else (body, "")
    try:
        size = int(float(number) * _UNITS[unit])
    except (ValueError, KeyError):
        raise LogOptionError(f"invalid size: '{text}'") from None
    if size < 0:
        raise LogOptionError(f"invalid size: '{text}'")
    if size == 0:
        raise LogOptionError("max-size must be a positive number")
    return size


def limits(driver: str, options: "Mapping[str, str]") -> tuple[int, int, bool]:
    """Return (max size or -1, number of files, compress) with the driver's defaults (docs/design/logs.md)."""
    if driver == "local":
        size, files, compress = options.get("max-size", "20m"), options.get("max-file", "5"), options.get("compress", "true")
    elif not {"max-size", "max-file", "compress"} & options.keys():
        size, files, compress = "10m", "3", "false"
    else:
        size, files, compress = options.get("max-size", "-1"), options.get("max-file", "1"), options.get("compress", "false")
    try:
        count = int(files)
    except ValueError:
        raise LogOptionError(f'strconv.Atoi: parsing "{files}": invalid syntax') from None
    if count < 1:
        raise LogOptionError("max-file cannot be less than 1")
    packed = switch(compress)
    if packed and driver != "local" and (count < 2 or size == "-1"):
        raise LogOptionError("compress cannot be true when max-file is less than 2 or max-size is not set")
    return parse_size(size), count, packed


def cache_limits(options: "Mapping[str, str]") -> tuple[int, int, bool]:
    """Return (max size, number of files, compress) of the copy that ``docker logs`` reads where the driver sends the log away."""
    names = {"cache-max-size": "max-size", "cache-max-file": "max-file", "cache-compress": "compress"}
    return limits("local", {names[key]: value for key, value in options.items() if key in names})


def cached(options: "Mapping[str, str]") -> bool:
    """Return whether there is such a copy."""
    return not switch(options.get("cache-disabled", "") or "false")


def switch(text: str) -> bool:
    """Return a truth value as Go's strconv.ParseBool reads it. Raises LogOptionError."""
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise LogOptionError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
