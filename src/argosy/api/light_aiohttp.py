"""Import aiohttp's server without its client.

``import aiohttp`` runs the package's ``__init__``, which imports the client, which reads all certificate authorities of the host
when it is imported: 0.2–0.3 s and 8 MiB of a daemon's start for what the API never uses. Here the package is put into
``sys.modules`` without running its ``__init__``; submodules are found as usual, and the first name that is no submodule
(``aiohttp.ClientSession``) runs it after all.
"""

import importlib
import importlib.util
import re
import sys
import types
from typing import Any

_VERSION = re.compile(r'__version__ = "([^"]+)"')


def install() -> None:
    """Do nothing when aiohttp is already imported, or is not as we know it."""
    if "aiohttp" in sys.modules:
        return
    spec = importlib.util.find_spec("aiohttp")
    if spec is None or spec.origin is None or spec.submodule_search_locations is None or spec.loader is None:
        return
    with open(spec.origin, encoding="utf-8") as source:
        version = _VERSION.match(source.read(100))
    if version is None:
        return
    sys.modules["aiohttp"] = _light_package(spec, spec.loader, version[1])


def _light_package(spec: Any, loader: Any, version: str) -> types.ModuleType:
    package = importlib.util.module_from_spec(spec)
    names = vars(package)
    names["__version__"] = version

    def look_up(name: str) -> Any:
        """PEP 562: asked only for what the package does not have yet."""
        if name.startswith("__"):
            raise AttributeError(f"module 'aiohttp' has no attribute {name!r}")
        if importlib.util.find_spec(f"aiohttp.{name}") is not None:
            return importlib.import_module(f"aiohttp.{name}")
        if names.pop("__getattr__", None) is not None:
            loader.exec_module(package)
        return getattr(package, name)

    names["__getattr__"] = look_up
    return package
