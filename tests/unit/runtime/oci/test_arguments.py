import pytest

from argosy.runtime.oci.arguments import parse
from argosy.runtime.oci.errors import RuntimeFailed


def test_containerds_create() -> None:
    words = "--root /run/r --log /l.json --log-format json --systemd-cgroup create --bundle /b --pid-file /p --console-socket /s abc"
    arguments = parse(words.split())
    assert (arguments.command, arguments.container()) == ("create", "abc")
    assert arguments.text("root") == "/run/r"
    assert arguments.text("console-socket") == "/s"
    assert arguments.given("systemd-cgroup")


def test_conmons_exec_leaves_the_users_words_alone() -> None:
    arguments = parse(["exec", "--pid-file=/p", "--detach", "-e", "A=b", "--env", "C=d", "abc", "sh", "-c", "exit 1"])
    assert arguments.words == ["abc", "sh", "-c", "exit 1"]
    assert arguments.several("env") == ["A=b", "C=d"]
    assert arguments.given("detach")


def test_flags_may_follow_the_id() -> None:
    arguments = parse(["delete", "abc", "--force"])
    assert arguments.given("force")
    assert parse(["kill", "--all", "abc", "9"]).words == ["abc", "9"]
    assert parse(["kill", "abc", "-9"]).words == ["abc", "-9"]


def test_switches_can_be_switched_off() -> None:
    assert not parse(["delete", "--force=false", "abc"]).given("force")


@pytest.mark.parametrize("words", [["nope"], ["create", "--nope", "x"], ["create", "--bundle"], ["--root"]])
def test_what_is_not_understood_is_said(words: list[str]) -> None:
    with pytest.raises(RuntimeFailed):
        parse(words)


def test_numbers_are_numbers() -> None:
    with pytest.raises(RuntimeFailed, match="invalid value"):
        parse(["update", "--memory", "much", "x"]).number("memory")


def test_no_command_is_help() -> None:
    assert parse([]).command == "help"
    assert parse(["--version"]).command == "version"
