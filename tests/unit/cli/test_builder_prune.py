"""What ``argosy builder prune`` asks the daemon."""

import pytest

from argosy.cli.commands.builder import prune
from argosy.cli.flags import parse


class Session:
    """Keeps the query of the one call."""

    def __init__(self) -> None:
        self.query: dict[str, str] = {}

    def call(self, call) -> dict[str, object]:
        self.query = dict(call.query)
        return {"CachesDeleted": None, "SpaceReclaimed": 0}

    def say(self, text: str) -> None:
        assert text == "Total reclaimed space: 0B"


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ([], {}),
        (["--keep-storage", "1k"], {"reserved-space": "1024"}),
        (["--keep-storage=1k", "--reserved-space=2k"], {"reserved-space": "2048"}),
        (["--max-used-space=1m", "--min-free-space=1g"], {"max-used-space": "1048576", "min-free-space": "1073741824"}),
    ],
)
def test_limits_are_bytes_by_their_names_of_today(words: list[str], limits: dict[str, str]) -> None:
    session = Session()
    prune.run(session, parse(prune.COMMAND.flags, ["--force", *words]))
    asked = {name: value for name, value in session.query.items() if name.endswith("-space") or name == "keep-storage"}
    assert asked == limits
