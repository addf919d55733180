"""A container that somebody removes while a request is served."""

import os
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from argosy.base.errors import NotFoundError, SystemFailureError
from argosy.engine.copy.place import Place
from argosy.engine.gone import gone_meanwhile, in_place
from argosy.storage.model import Directory


@pytest.mark.parametrize("error", [SystemFailureError("overlay2: no such file or directory"), FileNotFoundError(2, "no such file")])
def test_files_that_went_with_the_container_are_no_fault_of_the_system(error: Exception) -> None:
    container: Any = SimpleNamespace(removed=True)
    with pytest.raises(NotFoundError, match=r"^No such container: web$"), gone_meanwhile(container, "web"):
        raise error


def test_a_container_that_is_there_keeps_its_failures() -> None:
    container: Any = SimpleNamespace(removed=False)
    with pytest.raises(SystemFailureError, match="disk on fire"), gone_meanwhile(container, "web"):
        raise SystemFailureError("disk on fire")


async def test_a_program_that_ends_before_its_files_are_opened_leaves_its_snapshot():
    child = subprocess.Popen(["true"])
    child.wait()
    places = {False: Place(child.pid), True: Place(Directory("/snapshot"))}
    asked = []

    async def find(stopped):
        asked.append(stopped)
        return places[stopped]

    async def work(place):
        if place.running:
            raise FileNotFoundError(2, "No such file or directory")
        return place.root

    assert await in_place(find, work) == Directory("/snapshot")
    assert asked == [False, True]


async def test_other_failures_are_told_and_nothing_is_tried_again():
    asked = []

    async def find(stopped):
        asked.append(stopped)
        return Place(os.getpid())

    async def work(place):
        raise SystemFailureError("full")

    with pytest.raises(SystemFailureError, match="full"):
        await in_place(find, work)
    assert asked == [False]
