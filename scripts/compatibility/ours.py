"""What Argosy has, taken from the tables that the daemon and the client work with."""

import ast
import asyncio
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from argosy.api.errors import status_of
from argosy.api.request import Request
from argosy.api.routes import all_routes
from argosy.api.table import Route, Table
from argosy.base.errors import ArgosyError
from argosy.cli import registry
from argosy.cli.program import GLOBALS
from compatibility.compare import Operation

METHODS = ("get", "head", "post", "put", "delete")
NOT_THERE = 404


def routes() -> Table:
    """Return the daemon's route table; nothing stands behind its routes."""
    nothing = cast(Any, SimpleNamespace())
    return Table(all_routes(**dict.fromkeys(inspect.signature(all_routes).parameters, nothing)))


def described(description: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (method, path) of everything that an API description describes."""
    return [(method.upper(), path) for path, entry in description["paths"].items() for method in METHODS if method in entry]


def judge(route: Route) -> tuple[int, str]:
    """Return the status and words of a route that answers always the same error; (0, "") of one that does something.

    A route that serves is a method of what it serves from, and does more than raise; those that refuse are asked.
    """
    if inspect.ismethod(route.handler) and not only_raises(route.handler):
        return 0, ""
    request = SimpleNamespace(parts=dict.fromkeys(re.findall(r"\{(\w+)", route.path), "NAME"))
    try:
        asyncio.run(cast(Any, route.handler)(cast(Request, request)))
    except ArgosyError as error:
        return status_of(error), str(error)
    return 0, ""


def only_raises(function: object) -> bool:
    """Tell whether the first thing that a function does is to raise."""
    made = ast.parse(textwrap.dedent(inspect.getsource(cast(Any, function)))).body[0]
    body = cast(ast.AsyncFunctionDef, made).body
    first = body[1] if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and len(body) > 1 else body[0]
    return isinstance(first, ast.Raise)


def operations(table: Table, wanted: Iterable[tuple[str, str]]) -> list[Operation]:
    """Return what becomes of each described method and path; status 404 without words where no route is."""
    found = []
    for method, path in wanted:
        hit = table.find(method, re.sub(r"\{\w+\}", "x", path))
        status, why = judge(hit[0]) if hit else (NOT_THERE, "")
        found.append(Operation(method, path, status, why))
    return found


def further_routes(table: Table, wanted: Iterable[tuple[str, str]]) -> list[Operation]:
    """Return the routes that no description names."""
    hits = (table.find(method, re.sub(r"\{\w+\}", "x", path)) for method, path in wanted)
    known = {(hit[0].method, hit[0].path) for hit in hits if hit}
    rest = [route for route in table.routes() if (route.method, route.path) not in known]
    return sorted((Operation(route.method, route.path.replace(":.*", ""), *judge(route)) for route in rest), key=lambda item: item.path)


def full_names() -> dict[str, str]:
    """Return every name of each command of `argosy` → its longest; of those of one name, that name."""
    names = dict(registry.VERBS)
    for noun, group in registry.GROUPS.items():
        names |= {f"{noun} {verb}": f"{noun} {verb}" for verb in group.verbs}
    # Both names are docker's, and both are one command here too.
    return names | {"image build": "image build", "builder build": "image build", "system events": "system events"}


def commands() -> dict[str, list[str]]:
    """Return every command of `argosy` → its flags; "" is the program itself."""
    loaded = {name: [flag.name for flag in registry.load(registry.VERBS.get(name, name)).flags] for name in full_names()}
    return {"": [flag.name for flag in GLOBALS], **loaded}


def words(name: str, flag: str = "") -> str:
    """Return what help says of a command or of one of its flags."""
    if not flag:
        return registry.summary_of(f"argosy {name}")
    return next(known.help for known in registry.load(registry.VERBS.get(name, name)).flags if known.name == flag)
