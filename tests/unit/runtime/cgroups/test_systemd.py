"""The D-Bus codec, and a scope's life against a systemd that answers as the real one does."""

import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.cgroups.dbus import BusError, Connection, Reader, Variant, build_call, complete_types, marshal
from argosy.runtime.cgroups.group import Group
from argosy.runtime.cgroups.systemd import SystemdGroup
from argosy.runtime.cgroups.units import device_properties, limit_properties


def test_signatures_split_into_complete_types() -> None:
    assert complete_types("ssa(sv)a(sa(sv))au") == ["s", "s", "a(sv)", "a(sa(sv))", "au"]


@given(st.text(), st.lists(st.integers(0, 2**32 - 1)), st.integers(0, 2**64 - 1), st.booleans(), st.lists(st.tuples(st.text(), st.text())))
def test_what_is_marshalled_reads_back(text: str, numbers: list[int], large: int, flag: bool, pairs: list[tuple[str, str]]) -> None:
    values: list[Any] = [7, text, numbers, large, flag, pairs, Variant("s", text)]
    data = bytes(marshal("ysautba(ss)v", values, bytearray()))
    assert Reader(data).read("ysautba(ss)v") == [7, text, numbers, large, int(flag), [list(pair) for pair in pairs], text]


def test_a_call_is_laid_out_as_the_specification_says() -> None:
    message = build_call(1, "", "/org/x", "org.x.Y", "Do", "s", ["hé"])
    assert message[:4] == b"l\x01\x00\x01"
    assert int.from_bytes(message[4:8], "little") == 4 + 3 + 1
    assert len(message) - 8 == (len(message) - 8) // 8 * 8
    assert message.endswith(b"\x03\0\0\0h\xc3\xa9\0")


class FakeSystemd(threading.Thread):
    """Reads calls and answers each from a script: values to return, or an error's name."""

    def __init__(self, path: Path, answers: list[list[Any] | str]) -> None:
        super().__init__(daemon=True)
        self._answers = answers
        self.calls: list[tuple[str, list[Any]]] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()

    def run(self) -> None:
        while self._answers:
            connection, _ = self._server.accept()
            with connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        # All before the answer: what comes together with BEGIN, systemd would not look at.
        said = connection.recv(100)
        assert said.startswith(b"\0AUTH EXTERNAL ") and said.endswith(b"\r\nBEGIN\r\n")
        connection.sendall(b"OK 0123456789abcdef\r\n")
        data = b""
        while part := connection.recv(65536):
            data += part
            if len(data) < 16:
                continue
            fields = dict(Reader(data, 12).read("a(yv)")[0])
            length, serial = int.from_bytes(data[4:8], "little"), int.from_bytes(data[8:12], "little")
            self.calls.append((fields[3], Reader(data[len(data) - length :]).read(fields.get(8, ""))))
            connection.sendall(self._answer(serial, self._answers.pop(0)))
            data = b""

    def _answer(self, serial: int, answer: list[Any] | str) -> bytes:
        # A signal that nobody asked for comes first, as it does on the real bus.
        return _message(4, [[3, Variant("s", "JobNew")]], b"") + (
            _message(3, [[4, Variant("s", answer)], [5, Variant("u", serial)]], b"")
            if isinstance(answer, str)
            else _message(2, [[5, Variant("u", serial)], [8, Variant("g", "o")]], bytes(marshal("o", answer, bytearray())))
        )


def _message(kind: int, fields: list[Any], body: bytes) -> bytes:
    header = marshal("yyyyuua(yv)", [ord("l"), kind, 0, 1, len(body), 99, fields], bytearray())
    return bytes(header) + b"\0" * (-len(header) % 8) + body


def test_a_call_gets_its_answer_or_its_error(tmp_path: Path) -> None:
    FakeSystemd(tmp_path / "s", [["/job/1"], "org.freedesktop.systemd1.NoSuchUnit"]).start()
    with Connection(str(tmp_path / "s")) as systemd:
        assert systemd.manager("StartUnit", "ss", "a.scope", "replace") == ["/job/1"]
        with pytest.raises(BusError, match="NoSuchUnit"):
            systemd.manager("StopUnit", "ss", "a.scope", "replace")


class Files(Group):
    """The files' side, without files."""

    clones_into = True

    def __init__(self) -> None:
        super().__init__(path=_own_path(), mounts={}, unified="", resources={"memory": {"limit": 100}})
        self.did: list[str] = []

    def create(self) -> list[str]:
        self.did.append("create")
        return ["w"]

    def processes(self) -> list[int]:
        return []

    def update(self, resources: Any) -> list[str]:
        self.did.append("update")
        return []

    def remove(self) -> None:
        self.did.append("remove")


def _own_path() -> str:
    """A path in which this process already is: the fake moves nobody."""
    return Path("/proc/self/cgroup").read_text().splitlines()[0].rpartition(":")[2]


def test_a_scope_is_started_with_its_first_process_and_stopped_at_the_end(tmp_path: Path) -> None:
    fake = FakeSystemd(tmp_path / "s", [["/"], ["/job"], ["/"], ["/"]])
    fake.start()
    files = Files()
    group = SystemdGroup(files, "argosy-x.scope", "system.slice", connect=lambda: Connection(str(tmp_path / "s")))
    assert group.create() == ["w"]
    group.admit(os.getpid())
    group.remove()
    assert [name for name, _ in fake.calls] == ["ResetFailedUnit", "StartTransientUnit", "StopUnit", "ResetFailedUnit"]
    unit, mode, properties, _ = fake.calls[1][1]
    assert (unit, mode) == ("argosy-x.scope", "replace")
    assert dict(map(tuple, properties)) | {"Description": ""} == {
        "Description": "",
        "Slice": "system.slice",
        "Delegate": 1,
        "DefaultDependencies": 0,
        "PIDs": [os.getpid()],
        "CPUAccounting": 1,
        "MemoryAccounting": 1,
        "TasksAccounting": 1,
        "IOAccounting": 1,
        "MemoryMax": 100,
        "DevicePolicy": "auto",
        "DeviceAllow": [],
    }
    assert files.did == ["create", "update", "remove"]


def test_without_systemd_a_start_fails_and_a_remove_does_not(tmp_path: Path) -> None:
    group = SystemdGroup(Files(), "x.scope", "system.slice", connect=lambda: Connection(str(tmp_path / "no"), str(tmp_path / "no")))
    with pytest.raises(OSError):
        group.admit(os.getpid())
    group.remove()


def names(resources: dict[str, Any], unified: bool) -> dict[str, Any]:
    return {name: variant.value for name, variant in limit_properties(resources, unified=unified)}


def test_limits_as_properties() -> None:
    resources = {
        "memory": {"limit": 100, "swap": 150},
        "cpu": {"shares": 1024, "quota": 25000, "period": 100000},
        "pids": {"limit": -1},
        "blockIO": {"weight": 1000},
    }
    assert names(resources, True) == {
        "MemoryMax": 100,
        "MemorySwapMax": 50,
        "CPUWeight": 39,
        "CPUQuotaPerSecUSec": 250000,
        "IOWeight": 10000,
        "TasksMax": 2**64 - 1,
    }
    assert names(resources, False) == {
        "MemoryLimit": 100,
        "CPUShares": 1024,
        "CPUQuotaPerSecUSec": 250000,
        "BlockIOWeight": 1000,
        "TasksMax": 2**64 - 1,
    }


def test_device_rules_as_properties() -> None:
    rules = [
        {"allow": False},
        {"allow": True, "type": "c", "major": -1, "minor": -1, "access": "m"},
        {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"},
        {"allow": True, "type": "c", "major": 136, "minor": -1, "access": "rwm"},
    ]
    policy, allow = device_properties(rules)
    assert policy[1].value == "strict"
    assert allow[1].value == [["char-*", "m"], ["/dev/char/1:3", "rwm"], ["char-pts", "rwm"]]
    assert device_properties([{"allow": True, "type": "a"}])[0][1].value == "auto"
