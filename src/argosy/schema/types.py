"""Integers and strings with Go's names for them, which appear in the messages of a type mismatch."""

from typing import Annotated

import msgspec

Int = Annotated[int, msgspec.Meta(title="int", ge=-(2**63), lt=2**63)]
Int64 = Annotated[int, msgspec.Meta(title="int64", ge=-(2**63), lt=2**63)]
UInt = Annotated[int, msgspec.Meta(title="uint", ge=0, lt=2**64)]
UInt16 = Annotated[int, msgspec.Meta(title="uint16", ge=0, lt=2**16)]
UInt32 = Annotated[int, msgspec.Meta(title="uint32", ge=0, lt=2**32)]
UInt64 = Annotated[int, msgspec.Meta(title="uint64", ge=0, lt=2**64)]

Words = Annotated[tuple[str, ...], msgspec.Meta(title="strslice")]
"""A list of strings; one bare string means a list of one (moby's ``strslice.StrSlice``)."""
