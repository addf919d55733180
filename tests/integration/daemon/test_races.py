"""Clients that race on one object: one wins, the others are told 409 (or that it is so, or gone), and nothing is left half done."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from support.daemon import Daemon
from support.leaks import LeakCheck

pytestmark = pytest.mark.root
CLIENTS, ROUNDS = 8, 6
SLEEP = {"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"Init": True}}


def race(daemon: Daemon, requests: list[tuple[str, str, Any]]) -> list[tuple[int, bytes]]:
    """Send all at one moment; return status and body of each."""
    barrier = threading.Barrier(len(requests))
    answers: list[tuple[int, bytes]] = [(0, b"")] * len(requests)

    def ask(index: int, method: str, route: str, body: Any) -> None:
        barrier.wait()
        status, _, answer = daemon.api.raw(method, route, body)
        answers[index] = status, answer

    threads = [threading.Thread(target=ask, args=(index, *request)) for index, request in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(0 < status < 500 for status, _ in answers), answers
    return answers


def statuses(answers: list[tuple[int, bytes]]) -> Counter[int]:
    return Counter(status for status, _ in answers)


def test_one_name_goes_to_one_container(leak_check: LeakCheck, argosyd: Daemon) -> None:
    for number in range(ROUNDS):
        answers = race(argosyd, [("POST", f"/containers/create?name=n{number}", SLEEP)] * CLIENTS)
        assert statuses(answers) == {201: 1, 409: CLIENTS - 1}
        made = next(json.loads(body)["Id"] for status, body in answers if status == 201)
        assert all(made in body.decode() for status, body in answers if status == 409)
    assert len(argosyd.api("GET", "/containers/json?all=1")) == ROUNDS


def test_renames_to_one_name(leak_check: LeakCheck, argosyd: Daemon) -> None:
    for number in range(CLIENTS):
        argosyd.api("POST", f"/containers/create?name=c{number}", SLEEP)
    answers = race(argosyd, [("POST", f"/containers/c{number}/rename?name=wanted", None) for number in range(CLIENTS)])
    assert statuses(answers) == {204: 1, 409: CLIENTS - 1}
    names = sorted(view["Names"][0] for view in argosyd.api("GET", "/containers/json?all=1"))
    assert len(names) == CLIENTS and names.count("/wanted") == 1


def test_starts_stops_and_removals_of_one_container(leak_check: LeakCheck, argosyd: Daemon) -> None:
    for number in range(ROUNDS):
        name = f"c{number}"
        argosyd.api("POST", f"/containers/create?name={name}", SLEEP)
        assert statuses(race(argosyd, [("POST", f"/containers/{name}/start", None)] * CLIENTS)) == {204: 1, 304: CLIENTS - 1}
        stops = statuses(race(argosyd, [("POST", f"/containers/{name}/stop?t=5", None)] * CLIENTS))
        assert stops.keys() <= {204, 304} and stops[204] >= 1
        mixed = [("POST", f"/containers/{name}/{verb}", None) for verb in ("start", "kill", "pause", "restart?t=0")]
        removals = [("DELETE", f"/containers/{name}?force=1", None)] * 4
        seen = statuses(race(argosyd, mixed + removals))
        assert seen.keys() <= {204, 304, 404, 409} and seen[204] >= 1, seen
        argosyd.api("GET", f"/containers/{name}/json", ok=(404,))
    assert argosyd.api("GET", "/containers/json?all=1") == []


def test_networks_and_volumes_of_one_name(leak_check: LeakCheck, argosyd: Daemon) -> None:
    for number in range(ROUNDS):
        answers = race(argosyd, [("POST", "/networks/create", {"Name": f"n{number}"})] * CLIENTS)
        assert statuses(answers) == {201: 1, 409: CLIENTS - 1}
        answers = race(argosyd, [("POST", "/volumes/create", {"Name": f"v{number}"})] * CLIENTS)
        assert statuses(answers) == {201: CLIENTS}
        assert len({json.loads(body)["CreatedAt"] for _, body in answers}) == 1
        seen = statuses(race(argosyd, [("DELETE", f"/networks/n{number}", None)] * CLIENTS))
        assert seen[204] == 1 and seen.keys() <= {204, 404, 409, 403}, seen
        seen = statuses(race(argosyd, [("DELETE", f"/volumes/v{number}", None)] * CLIENTS))
        assert seen[204] >= 1 and seen.keys() <= {204, 404, 409}, seen
    assert {network["Name"] for network in argosyd.api("GET", "/networks")} == {"bridge", "host", "none"}
    assert argosyd.api("GET", "/volumes")["Volumes"] == []


def test_a_network_that_is_removed_while_a_container_joins_it(leak_check: LeakCheck, argosyd: Daemon) -> None:
    argosyd.api("POST", "/containers/create?name=one", SLEEP)
    argosyd.api("POST", "/containers/one/start")
    for _ in range(ROUNDS):
        argosyd.api("POST", "/networks/create", {"Name": "n"})
        joined, removed = race(argosyd, [("POST", "/networks/n/connect", {"Container": "one"}), ("DELETE", "/networks/n", None)])
        inside = argosyd.api("GET", "/containers/one/json")["NetworkSettings"]["Networks"]
        if joined[0] == 200:
            assert removed[0] in (403, 409) and "n" in inside, removed
            argosyd.api("POST", "/networks/n/disconnect", {"Container": "one"})
            argosyd.api("DELETE", "/networks/n")
        else:
            assert (joined[0], removed[0]) == (404, 204) and "n" not in inside, joined


def test_an_image_that_is_removed_while_containers_are_made_of_it(leak_check: LeakCheck, daemons: Callable[..., Daemon]) -> None:
    argosyd = daemons()
    for _ in range(ROUNDS):
        argosyd.import_busybox("other:latest")
        creations = [("POST", "/containers/create", {"Image": "other", "Cmd": ["true"]})] * 4
        answers = race(argosyd, [*creations, ("DELETE", "/images/other", None)])
        made = [json.loads(body)["Id"] for status, body in answers[:4] if status == 201]
        assert {status for status, _ in answers[:4]} <= {201, 404}
        assert answers[4][0] in (200, 409)
        for container in made:
            argosyd.api("POST", f"/containers/{container}/start")
            argosyd.api("POST", f"/containers/{container}/wait")
            argosyd.api("DELETE", f"/containers/{container}")
        argosyd.api.raw("DELETE", "/images/other?force=1")


def test_containers_that_share_a_new_volume_fill_it_once(leak_check: LeakCheck, argosyd: Daemon) -> None:
    for number in range(ROUNDS):
        body = SLEEP | {"HostConfig": {"Binds": [f"shared{number}:/bin"]}}
        assert statuses(race(argosyd, [("POST", "/containers/create", body)] * CLIENTS)) == {201: CLIENTS}
