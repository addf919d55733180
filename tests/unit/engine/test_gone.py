"""A container that somebody removes while a request is served."""

from types import SimpleNamespace
from typing import Any

import pytest

from argosy.base.errors import NotFoundError, SystemFailureError
from argosy.engine.gone import gone_meanwhile


@pytest.mark.parametrize("error", [SystemFailureError("overlay2: no such file or directory"), FileNotFoundError(2, "no such file")])
def test_files_that_went_with_the_container_are_no_fault_of_the_system(error: Exception) -> None:
    container: Any = SimpleNamespace(removed=True)
    with pytest.raises(NotFoundError, match=r"^No such container: web$"), gone_meanwhile(container, "web"):
        raise error


def test_a_container_that_is_there_keeps_its_failures() -> None:
    container: Any = SimpleNamespace(removed=False)
    with pytest.raises(SystemFailureError, match="disk on fire"), gone_meanwhile(container, "web"):
        raise SystemFailureError("disk on fire")
