"""Which ports are open to everybody, and the word about them."""

from pathlib import Path
from typing import Any

from argosy.cli.running import exposure
from argosy.client.errors import ApiError


def wanted(labels: dict[str, str] | None = None, **bindings: str) -> dict[str, Any]:
    ports = {f"{port}/tcp": [{"HostIp": address, "HostPort": ""}] for port, address in bindings.items()}
    return {"Labels": labels or {}, "HostConfig": {"PortBindings": ports}}


def test_open_are_those_on_all_addresses_without_a_list() -> None:
    document = wanted({"argosy.publish.allow.82/tcp": "10.0.0.0/8"}, **{"80": "", "81": "127.0.0.1", "82": "", "83": "0.0.0.0", "84": "::"})
    assert exposure.open_ports(document) == ["80/tcp", "83/tcp", "84/tcp"]


class Told:
    def __init__(self, directory: Path, policy: str) -> None:
        self.directory = str(directory / "new")
        self.policy = policy
        self.words: list[str] = []

    def call(self, _: object) -> dict[str, str]:
        if not self.policy:
            raise ApiError(404, "page not found")
        return {"Policy": self.policy}

    def warn(self, text: str) -> None:
        self.words.append(text)


def test_it_is_said_once_and_only_where_the_policy_is_open(tmp_path: Path) -> None:
    for policy in ("localhost", "respect-host", ""):
        quiet = Told(tmp_path, policy)
        exposure.warn_once(quiet, wanted(**{"80": ""}))  # type: ignore[arg-type]
        assert quiet.words == []
    told = Told(tmp_path, "open")
    exposure.warn_once(told, wanted(**{"80": "127.0.0.1"}))  # type: ignore[arg-type]
    assert told.words == []
    exposure.warn_once(told, wanted(**{"80": ""}))  # type: ignore[arg-type]
    exposure.warn_once(told, wanted(**{"81": ""}))  # type: ignore[arg-type]
    assert len(told.words) == 1
    assert "80/tcp can be reached from every network" in told.words[0]
