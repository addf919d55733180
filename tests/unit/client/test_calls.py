"""Calls as values: paths and parameters."""

import json

import pytest

from argosy.client import containers, execs, images, networks, system, version, volumes
from argosy.client.call import Call, nothing
from argosy.client.http import target


def query(call: Call[object]) -> str:
    return f"{call.method} {target(call.path, call.query)}"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (containers.list_(all_=True, limit=3), "GET /containers/json?all=1&limit=3"),
        (containers.stop("a/b", 0), "POST /containers/a%2Fb/stop?t=0"),
        (containers.remove("a", force=True), "DELETE /containers/a?force=1"),
        (containers.kill("a", "HUP"), "POST /containers/a/kill?signal=HUP"),
        (containers.rename("a", "b c"), "POST /containers/a/rename?name=b%20c"),
        (
            containers.commit("a", repository="r", changes=["CMD x", "USER y"]),
            "POST /commit?container=a&repo=r&changes=CMD%20x&changes=USER%20y",
        ),
        (images.tag("r/a:1", "h:5000/b", "2"), "POST /images/r/a%3A1/tag?repo=h%3A5000%2Fb&tag=2"),
        (
            images.remove("a", platforms=["linux/arm64"]),
            "DELETE /images/a?platforms=%7B%22os%22%3A%22linux%22%2C%22architecture%22%3A%22arm64%22%7D",
        ),
        (images.save(["a", "b:1"]), "GET /images/get?names=a&names=b%3A1"),
        (networks.remove("n"), "DELETE /networks/n"),
        (volumes.remove("v", force=True), "DELETE /volumes/v?force=1"),
        (system.df(["image"]), "GET /system/df?type=image"),
        (system.events("1", None, {"type": ["container"]}), "GET /events?since=1&filters=%7B%22type%22%3A%5B%22container%22%5D%7D"),
        (execs.kill("e", "TERM"), "POST /exec/e/kill?signal=TERM"),
        (containers.stats("a", stream=False), "GET /containers/a/stats?stream=0"),
    ],
)
def test_requests_are_what_the_api_describes(call: Call[object], expected: str) -> None:
    assert query(call) == expected


def test_documents_are_json() -> None:
    call = containers.create({"Image": "a"}, "n")
    assert isinstance(call.body, bytes)
    assert json.loads(call.body) == {"Image": "a"}
    assert call.headers["Content-Type"] == "application/json"


def test_what_is_false_or_absent_is_not_sent() -> None:
    assert Call("GET", "/x", nothing, query={"a": False, "b": None, "c": 0, "d": ""}).query == [("c", "0"), ("d", "")]


@pytest.mark.parametrize(
    ("status", "header", "tried", "expected"),
    [
        (400, "1.41", (1, 55), (1, 41)),
        (400, "1.55", (1, 55), None),
        (404, "1.41", (1, 55), None),
        (400, None, (1, 55), None),
        (400, "x", (1, 55), None),
    ],
)
def test_only_a_refusal_for_the_version_is_tried_again(status: int, header: str | None, tried: tuple[int, int], expected: object) -> None:
    assert version.after_refusal(status, header, tried) == expected
