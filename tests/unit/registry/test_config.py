from pathlib import Path

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.registry import commandline
from argosy.registry.config import load, seconds, size


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "registry.toml"
    path.write_text('root = "/one"\nread-only = true\n[gc]\ngrace = "2h"\n')
    given = commandline.parse(["--config", str(path), "--root", "/two", "--gc-interval", "0", "--listen", ":1", "--listen", ":2"])
    config = load(given.config, given.flags)
    assert (config.root, config.read_only, config.gc.grace, config.gc.interval, config.listen) == ("/two", True, "2h", "0", (":1", ":2"))


def test_serving_is_what_is_done_without_a_command() -> None:
    assert commandline.parse(["--root", "/x"]).command == commandline.parse([]).command == "serve"
    given = commandline.parse(["gc", "--dry-run", "--root", "/x"])
    assert (given.command, given.dry_run, given.words) == ("gc", True, ["--dry-run", "--root", "/x"])


def test_anonymous_pull_is_a_rule_beside_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "registry.toml"
    path.write_text('[auth]\nhtpasswd = "u"\n[[access]]\nusers = ["ann"]\nrepositories = ["a"]\nactions = ["push"]\n')
    config = load(str(path), commandline.parse(["--anonymous-pull"]).flags)
    assert [rule.users for rule in config.access] == [("ann",), ("anonymous",), ("*",)]


def test_durations_and_sizes() -> None:
    assert seconds("30d", "x") == 30 * 86400 and seconds("90m", "x") == 5400 and seconds("0", "x") == 0
    assert size("", "x") == 0 and size("10g", "x") == 10 << 30
    with pytest.raises(InvalidParameterError, match=r"gc\.grace"):
        seconds("soon", "gc.grace")


@pytest.mark.parametrize("action", ["read", "*", ""])
def test_an_unknown_action_is_refused(tmp_path: Path, action: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(f'[auth]\nhtpasswd = "u"\n[[access]]\nusers = ["a"]\nrepositories = ["a"]\nactions = ["{action}"]\n')
    with pytest.raises(InvalidParameterError, match="no action"):
        load(str(path), {})
