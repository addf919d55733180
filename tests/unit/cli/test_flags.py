"""pflag's grammar and words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.suggest import distance, nearest
from argosy.cli.command import ANY, NONE, SOME, Arity, at_most, exactly
from argosy.cli.errors import ArgumentsError, UsageError
from argosy.cli.flags import Flag, parse
from argosy.cli.flags.kinds import BYTES, DECIMAL, DURATION, FILTER, INT, LIST, STRING, STRINGS, SWAP, UINT16, split_csv
from argosy.cli.flags.parse import HelpWanted

FLAGS = (
    Flag("all", "a"),
    Flag("rm", "", default=True),
    Flag("name", "n", STRING),
    Flag("last", "l", INT),
    Flag("env", "e", LIST),
    Flag("platform", "", STRINGS),
    Flag("memory", "m", BYTES),
    Flag("swap", "", SWAP),
    Flag("cpus", "", DECIMAL),
    Flag("wait", "", DURATION),
    Flag("filter", "f", FILTER),
    Flag("weight", "", UINT16),
)


def test_every_spelling_of_a_value() -> None:
    for words in (["--name", "x"], ["--name=x"], ["-n", "x"], ["-nx"], ["-n=x"], ["-an", "x"], ["-anx"]):
        assert parse(FLAGS, words).text("name") == "x", words


def test_switches_can_be_switched_off() -> None:
    assert parse(FLAGS, []).switch("rm") is True
    assert parse(FLAGS, ["--rm=false"]).switch("rm") is False
    assert parse(FLAGS, ["--rm=0"]).switch("rm") is False
    assert parse(FLAGS, ["-a"]).switch("all") is True


def test_flags_end_at_the_image_when_they_must() -> None:
    values = parse(FLAGS, ["-a", "image", "-n", "x"], interspersed=False)
    assert values.arguments == ["image", "-n", "x"]
    assert parse(FLAGS, ["image", "-n", "x"]).arguments == ["image"]
    assert parse(FLAGS, ["-n", "x", "--", "-a"]).arguments == ["-a"]
    assert parse(FLAGS, ["-"]).arguments == ["-"]


def test_lists_gather_and_split() -> None:
    values = parse(FLAGS, ["-e", "a=1,2", "-e", "b", "--platform", "x,y", "--platform=z", "-f", "A=b=c"])
    assert values.texts("env") == ["a=1,2", "b"]
    assert values.texts("platform") == ["x", "y", "z"]
    assert values.filters() == {"a": ["b=c"]}


def test_values_have_their_kinds() -> None:
    values = parse(FLAGS, ["-m", "1.5g", "--swap", "-1", "--cpus", "0.3", "--wait", "1m30s", "-l", "0x10"])
    assert [values.number(name) for name in ("memory", "swap", "cpus", "wait", "last")] == [3 << 29, -1, 300_000_000, 90 * 10**9, 16]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nope"], "unknown flag: --nope"),
        (["--nam", "x"], "unknown flag: --nam. Did you mean --name?"),
        (["-z"], "unknown shorthand flag: 'z' in -z"),
        (["-az"], "unknown shorthand flag: 'z' in -az"),
        (["--name"], "flag needs an argument: --name"),
        (["-n"], "flag needs an argument: 'n' in -n"),
        (["-l", "x"], 'invalid argument "x" for "-l, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (["--rm=maybe"], 'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax'),
        (["-m", "xx"], 'invalid argument "xx" for "-m, --memory" flag: invalid size: \'xx\''),
        (["--swap", "-2"], 'invalid argument "-2" for "--swap" flag: invalid size: \'-2\''),
        (["--cpus", "0.1x"], 'invalid argument "0.1x" for "--cpus" flag: failed to parse 0.1x as a rational number'),
        (["-f", "x"], 'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)'),
        (["--weight", "70000"], 'invalid argument "70000" for "--weight" flag: strconv.ParseUint: parsing "70000": value out of range'),
        (["---x"], "bad flag syntax: ---x"),
    ],
)
def test_refusals_have_pflags_words(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(FLAGS, words)
    assert str(caught.value) == message


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["-ah"]])
def test_help_is_always_there(words: list[str]) -> None:
    with pytest.raises(HelpWanted):
        parse(FLAGS, words)


@given(st.lists(st.text(min_size=1, alphabet="ab=-. \t"), max_size=5))
def test_any_words_parse_or_are_refused_politely(words: list[str]) -> None:
    try:
        parse(FLAGS, words)
    except (UsageError, HelpWanted):
        pass


@pytest.mark.parametrize(
    ("arity", "count", "message"),
    [
        (NONE, 1, "'x' accepts no arguments"),
        (SOME, 0, "'x' requires at least 1 argument"),
        (exactly(2), 1, "'x' requires 2 arguments"),
        (at_most(1), 2, "'x' requires at most 1 argument"),
        (Arity(2, None), 1, "'x' requires at least 2 arguments"),
    ],
)
def test_numbers_of_arguments_are_checked_in_dockers_words(arity: Arity, count: int, message: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        arity.check("x", count)
    assert str(caught.value) == message


def test_right_numbers_of_arguments_pass() -> None:
    for arity, count in ((NONE, 0), (ANY, 7), (SOME, 1), (Arity(1, 2), 2)):
        arity.check("x", count)


def test_quotes_protect_commas() -> None:
    assert split_csv('type=bind,"src=/a,b",dst=/c') == ["type=bind", "src=/a,b", "dst=/c"]


@pytest.mark.parametrize(("word", "meant"), [("rnu", "run"), ("conatiner", "container"), ("imagse", "images"), ("xyzzy", ""), ("p", "")])
def test_typing_errors_are_guessed(word: str, meant: str) -> None:
    assert nearest(word, ["run", "rm", "ps", "container", "images", "image"]) == meant


@given(st.text(max_size=6), st.text(max_size=6))
def test_distance_is_a_distance(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) <= max(len(a), len(b))
