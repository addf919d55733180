"""Messages against bytes that real clients and a real BuildKit sent."""

import pytest

from argosy.buildkit import messages
from argosy.buildkit.declare import declare


def test_fields_have_the_numbers_of_the_notation():
    made = declare("a.b", {"Inner": "1 string x", "Outer": "2 repeated Inner many\n3 map<bytes> pairs\n4 bool flag\n5 int64 count"})
    outer = made["Outer"](many=[made["Inner"](x="y")], pairs={"k": b"v"}, flag=True, count=-1)
    assert outer.SerializeToString() == b"\x12\x03\n\x01y\x1a\x06\n\x01k\x12\x01v \x01(" + b"\xff" * 9 + b"\x01"
    assert made["Outer"].FromString(outer.SerializeToString()) == outer


def test_what_is_not_declared_is_skipped():
    assert messages.Packet.FromString(b"\x08\x02\x7a\x01x").type == 2


def test_a_packet_without_stat_ends_the_list():
    told = messages.Packet.FromString(b"\x12\x0c\n\x03f.x\x10\xa4\x03(\x03\x30\x05")
    assert told.HasField("stat") and (told.stat.path, told.stat.mode, told.stat.size, told.stat.mtime) == ("f.x", 0o644, 3, 5)
    assert not messages.Packet.FromString(b"").HasField("stat")


def test_a_message_that_does_not_exist():
    with pytest.raises(AttributeError, match="no attribute 'Nope'"):
        messages.Nope
