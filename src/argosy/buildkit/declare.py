"""Protocol buffer messages from a short notation, so that a definition can be read beside the published one and needs no compiler.

A message is lines of ``NUMBER [repeated] TYPE NAME``; ``map<TYPE>`` has text keys. Fields that we neither send nor read are left out:
the wire format skips what is not known. https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
}


def declare(package: str, messages: Mapping[str, str]) -> dict[str, Any]:
    """Return name → message class. Types are scalars or other messages of the table."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, text in messages.items():
        message = file.message_type.add(name=name)
        for line in text.strip().splitlines():
            _add(message, f".{package}", line.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}


def _add(message: descriptor_pb2.DescriptorProto, package: str, words: list[str]) -> None:
    number, *kind, name = words
    repeated = kind[0] == "repeated"
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL)
    if not kind[-1].startswith("map<"):
        _set_type(field, package, kind[-1])
        return
    # A map is repeated pairs of a nested type (the page above, "Maps").
    entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    _set_type(entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL), package, "string")
    _set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), package, kind[-1][4:-1])
    field.label = _Field.LABEL_REPEATED
    field.type, field.type_name = _Field.TYPE_MESSAGE, f"{package}.{message.name}.{entry.name}"


def _set_type(field: Any, package: str, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f"{package}.{kind}"
