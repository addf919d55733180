"""Reading and writing cgroup files; every failure names the file."""

import os

from argosy.linux.syscall import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def write(path: str, value: str) -> None:
    """Write one value. Raises OSError with errno and path."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        fail(error.errno or 0, "open", path)
    try:
        os.write(fd, value.encode("ascii"))
    except OSError as error:
        fail(error.errno or 0, f"write {value!r} to", path)
    finally:
        os.close(fd)


def read(path: str) -> str:
    """Return the content; raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
        return b"".join(parts).decode("ascii", "replace")
    finally:
        os.close(fd)


def read_or(path: str, default: str = "") -> str:
    """Return the content, or ``default`` where the kernel has no such file."""
    try:
        return read(path)
    except OSError:
        return default


def number(text: str, default: int = 0) -> int:
    """Return the number in a single-value file; ``max`` is 2**64-1 as Docker shows it."""
    text = text.strip()
    if text == "max":
        return (1 << 64) - 1
    try:
        return int(text)
    except ValueError:
        return default


def machine_memory() -> int:
    """Return the machine's memory in bytes: what dockerd shows as the limit where there is none."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def table(text: str) -> dict[str, int]:
    """Return a flat-keyed file (``memory.stat``) as a dictionary."""
    rows = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        try:
            rows[key] = int(value)
        except ValueError:
            continue
    return rows


def pids(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def children(path: str) -> "Iterable[str]":
    """Return the paths of the cgroups directly below ``path``."""
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def remove_tree(path: str) -> bool:
    """Remove a cgroup and those below it; return False when one is busy. Absent is fine."""
    try:
        os.rmdir(path)
        return True
    except FileNotFoundError:
        return True
    except OSError:
        pass
    busy = [child for child in children(path) if not remove_tree(child)]
    if busy:
        return False
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def all_pids(path: str, name: str = "cgroup.procs") -> list[int]:
    """Return the processes of a cgroup and those below it."""
    found = pids(read_or(f"{path}/{name}"))
    for child in children(path):
        found += all_pids(child, name)
    return found
