"""What init and its callers load, and that nothing is loaded after the container was entered."""

import subprocess
import sys
from pathlib import Path

import pytest

import argosy

SOURCE = str(Path(argosy.__file__).parent.parent)
HEAVY = {"typing", "dataclasses", "asyncio", "logging", "pathlib", "re", "enum", "msgspec", "json", "socket", "subprocess", "threading"}


@pytest.mark.parametrize(
    "module", ["argosy.runtime.spawn", "argosy.runtime.cgroups", "argosy.runtime.compile", "argosy.runtime.oci.create"]
)
def test_only_the_light_part_of_the_library_is_loaded(module: str) -> None:
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); import {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_an_isolated_process_cannot_import() -> None:
    code = (
        f"import sys; sys.path.insert(0, {SOURCE!r})\n"
        "from argosy.runtime.init import run\n"
        "run._isolate()\n"
        "try:\n    import colorsys\nexcept ImportError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
