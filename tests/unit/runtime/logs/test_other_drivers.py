"""local, journald, syslog, and the choice among them."""

import itertools
import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.logs.attributes import TagError, expand_tag, extra_attributes, shim_plan
from argosy.runtime.logs.journald import Journald, field, variable
from argosy.runtime.logs.local import FRAME, Local, attributes_frame
from argosy.runtime.logs.open import open_writer
from argosy.runtime.logs.sizes import LogOptionError, limits, parse_size
from argosy.runtime.logs.stamps import Stamps
from argosy.runtime.logs.syslog import SyslogOptionError, facility, header, target

NO_LOOP: Any = None
NOON = 1_700_000_000_123_456_789


class Memory:
    def __init__(self) -> None:
        self.content = b""

    def append(self, record: bytes) -> None:
        self.content += record

    def close(self) -> None: ...


def frames(data: bytes) -> list[tuple[int, int, int, bytes]]:
    found, position = [], 0
    while position < len(data):
        size, stream, flags, zero, time = struct.unpack_from("<IBBHQ", data, position)
        payload = data[position + 16 : position + 16 + size]
        assert zero == 0
        assert struct.unpack_from("<I", data, position + 16 + size) == (size,)
        found.append((stream, flags, time, payload))
        position += 20 + size
    return found


def test_local_frames_hold_lines_with_consecutive_times() -> None:
    file = Memory()
    writer = Local(file, Stamps(lambda: NOON))  # type: ignore[arg-type]
    writer.write(1, b"one\ntwo\nthr")
    writer.write(2, b"error\n")
    writer.end(1)
    (first, second, third) = frames(file.content)
    assert first == (1, 0, NOON, b"one\ntwo\n")
    assert (second[0], second[1], second[3]) == (2, 0, b"error\n")
    assert (third[0], third[1], third[3]) == (1, 1, b"thr")
    assert NOON + 2 <= second[2] < third[2]


def test_local_frames_are_bounded() -> None:
    file = Memory()
    Local(file).write(1, b"0123456789\n" * 50_000)  # type: ignore[arg-type]
    found = frames(file.content)
    assert b"".join(payload for *_, payload in found) == b"0123456789\n" * 50_000
    assert max(len(payload) for *_, payload in found) <= FRAME + 16384
    assert all(one[2] + one[3].count(b"\n") <= two[2] for one, two in itertools.pairwise(found))


def test_local_attributes_frame() -> None:
    assert attributes_frame({}) == b""
    ((stream, _, _, payload),) = frames(attributes_frame({"b": "1", "a": "2"}))
    assert stream == 0
    assert json.loads(payload) == {"a": "2", "b": "1"}


def test_journald_datagram(tmp_path: Path) -> None:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(tmp_path / "journal"))
    options = {"argosy.id": "0123456789abcdef", "argosy.name": "web", "argosy.image": "httpd", "tag": "t"}
    writer = Journald(options, {"com.example/x": "1"}, str(tmp_path / "journal"))
    writer.write(2, b"bad\n")
    text = receiver.recv(4096).decode()
    for line in ("MESSAGE=bad", "PRIORITY=3", "CONTAINER_ID=0123456789ab", "CONTAINER_NAME=web", "CONTAINER_TAG=t", "COM_EXAMPLE_X=1"):
        assert line in text.splitlines()
    assert "PARTIAL" not in text
    writer.write(1, b"half")
    writer.end(1)
    assert "CONTAINER_PARTIAL_MESSAGE=true" in receiver.recv(4096).decode()
    writer.close()
    receiver.close()


def test_journald_field_with_a_newline_has_a_length() -> None:
    assert field("A", b"x\ny") == b"A\n\x03\0\0\0\0\0\0\0x\ny\n"
    assert variable("_com.a-b") == "COM_A_B"


def test_syslog_headers() -> None:
    assert header("rfc5424micro", 30, "tag", "host", NOON).startswith("<30>1 2023-11-14T22:13:20.123456Z host tag ")
    assert header("", 27, "tag", "host", NOON).endswith(f" tag[{os.getppid()}]: ")
    assert " host tag[" in header("rfc3164", 27, "tag", "host", NOON)
    assert facility("local3") == 19 and facility("") == 3 and facility("7") == 7
    assert target("udp://[::1]:999") == ("udp", "[::1]:999")
    assert target("tcp://h") == ("tcp", "h:514")
    with pytest.raises(SyslogOptionError, match="invalid syslog facility"):
        facility("nosuch")


def test_defaults_and_options() -> None:
    assert limits("json-file", {}) == (10 << 20, 3, False)
    assert limits("json-file", {"max-size": "1k"}) == (1024, 1, False)
    assert limits("json-file", {"max-file": "5"}) == (-1, 5, False)
    assert limits("local", {}) == (20 << 20, 5, True)
    assert parse_size("1.5g") == 3 << 29
    for bad in ("x", "", "-2", "0"):
        with pytest.raises(LogOptionError):
            parse_size(bad)
    with pytest.raises(LogOptionError, match="cannot be less than 1"):
        limits("local", {"max-file": "0"})


def test_none_and_unknown_drivers() -> None:
    def fork(*_: object) -> None: ...

    assert open_writer({"driver": "none"}, fork, NO_LOOP) is None
    with pytest.raises(LogOptionError, match='no log driver named "splunk" is registered'):
        open_writer({"driver": "splunk"}, fork, NO_LOOP)


def test_attributes_and_tag() -> None:
    labels, env = {"a": "1", "com.x": "2", "no": "3"}, ["PATH=/bin", "APP_A=x=y", "BARE"]
    options = {"labels": "a,absent", "labels-regex": "^com", "env": "BARE,PATH", "env-regex": "^APP"}
    assert extra_attributes(options, labels, env) == {"a": "1", "com.x": "2", "PATH": "/bin", "APP_A": "x=y"}
    context = {"container_id": "f" * 64, "container_name": "/web", "image_id": "sha256:" + "a" * 64, "image_name": "httpd"}
    assert expand_tag("{{.ImageName}}/{{ .Name }}/{{.ID}}", context) == "httpd/web/" + "f" * 12
    with pytest.raises(TagError):
        expand_tag("{{.Nope}}", context)
    plan = shim_plan("json-file", "/p", {"tag": "{{.Name}}"}, {**context, "label": "v"}, "f" * 64)
    assert plan["attributes"] == {"label": "v", "tag": "web"}
    about = {"argosy.id": "f" * 64, "argosy.name": "web", "argosy.image": "httpd", "argosy.image_id": "sha256:" + "a" * 64}
    assert plan["options"] == {"tag": "web", **about, "argosy.command": "", "argosy.created": ""}
