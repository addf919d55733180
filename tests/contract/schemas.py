"""The API description as JSON Schema: what swagger 2 says beyond it, and what Go's encoder does to it."""

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

DESCRIPTION = Path(__file__).with_name("engine-api-v1.55.yaml")


@cache
def description() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.load(DESCRIPTION.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


NULL_IN_DOCKER = ("MemorySwappiness", "OomKillDisable", "ExitCode")
"""Go pointers that the description calls plain integers and booleans; Docker 28 answers null when they are not set."""


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (method, path, operation) of everything described."""
    for path, entry in description()["paths"].items():
        for method, operation in entry.items():
            if method in ("get", "post", "put", "delete", "head"):
                yield method.upper(), path, operation


def answer_schema(method: str, path: str, status: int) -> Any:
    """Return the schema of an answer, None where none is described."""
    operation = description()["paths"][path][method.lower()]
    return operation["responses"].get(status, operation["responses"].get(str(status), {})).get("schema")


def nullable(schema: Any) -> Any:
    """Return a schema in which lists and objects may be null: Go writes nil slices and maps so, and Docker's clients expect it."""
    if isinstance(schema, list):
        return [nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: nullable(value) for key, value in schema.items() if key not in ("example", "description", "x-go-name", "format")}
    for name in NULL_IN_DOCKER:
        if name in (properties := made.get("properties") or {}):
            properties[name] = {**properties[name], "type": [properties[name]["type"], "null"]}
    if "UnpackedSize" in made.get("required", ()) and "UnpackedSize" not in made["properties"]:
        # A slip of the description: the field is Size.Unpacked.
        made["required"] = [name for name in made["required"] if name != "UnpackedSize"]
    kind = made.get("type")
    if isinstance(kind, str) and (kind in ("array", "object") or made.get("x-nullable")):
        made["type"] = [kind, "null"]
    if made.get("x-nullable") and "enum" in made:
        made["enum"] = [*made["enum"], None]
    if "$ref" in made and made.pop("x-nullable", False):
        return {"anyOf": [{"$ref": made["$ref"]}, {"type": "null"}]}
    return made


@cache
def _definitions() -> Any:
    return nullable(copy.deepcopy(description()["definitions"]))


def validate(value: Any, schema: Any) -> None:
    """Raises jsonschema.ValidationError, also when the value has a field that the description does not know."""
    whole = {"definitions": _definitions(), **nullable(schema)}
    jsonschema.Draft4Validator(whole).validate(value)
    unknown = list(_unknown(value, schema, ""))
    if unknown:
        raise jsonschema.ValidationError(f"fields that the description does not have: {unknown}")


def _properties(schema: Any) -> tuple[dict[str, Any], bool]:
    """Return (known properties, whether others are allowed)."""
    if "$ref" in schema:
        return _properties(description()["definitions"][schema["$ref"].rpartition("/")[2]])
    known, is_open = dict(schema.get("properties") or {}), "additionalProperties" in schema
    for part in schema.get("allOf", ()):
        more, more_open = _properties(part)
        known |= more
        is_open = is_open or more_open
    return known, is_open or not known


def _resolved(schema: Any) -> Any:
    return description()["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _unknown(value: Any, schema: Any, where: str) -> Iterator[str]:
    if isinstance(value, list):
        items = _resolved(schema).get("items")
        if items is not None:
            for item in value:
                yield from _unknown(item, items, where + "[]")
    elif isinstance(value, dict):
        known, is_open = _properties(schema)
        extra = _resolved(schema).get("additionalProperties")
        for key, item in value.items():
            if key in known:
                yield from _unknown(item, known[key], f"{where}.{key}")
            elif isinstance(extra, dict):
                yield from _unknown(item, extra, f"{where}.*")
            elif not is_open:
                yield f"{where}.{key}"
