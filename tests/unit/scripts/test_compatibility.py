"""The page on what of Docker is here: reading its help, laying its names beside ours, and noticing what nobody explained."""

import pytest

from argosy.api.answer import Answer
from argosy.api.table import Route, Table
from argosy.base.errors import NotImplementedInArgosyError
from compatibility import asking, compare, ours, page
from compatibility.compare import CommandRow, Operation

HELP = """Usage:  docker thing [OPTIONS]

Do a thing

Common Commands:
  run         Create and run
  buildx*     Docker Buildx

Management Commands:
  system      Manage Docker
  help        Help about any command

Options:
      --add-host list      Add a
                           --not-a-flag that a text names
  -d, --detach             Run it
  -h, --help               Print usage
  nothing     Not a command: no heading says so
"""


def test_help_tells_flags_and_commands() -> None:
    assert asking.flags_of(HELP) == {"add-host": "", "detach": "d"}
    assert asking.verbs_of(HELP) == ["run", "buildx", "system"]


def test_a_program_is_asked_to_its_leaves(tmp_path) -> None:
    program = tmp_path / "docker"
    program.write_text(
        """#!/bin/sh
case "$*" in
"--help") printf 'Commands:\\n  box  Manage boxes\\n\\nOptions:\\n  -v, --version  Print\\n' ;;
"box --help") printf 'Commands:\\n  ls  List\\n' ;;
"box ls --help") printf 'Options:\\n  -q, --quiet  Ids\\n' ;;
*) exit 1 ;;
esac
"""
    )
    program.chmod(0o755)
    assert asking.commands_of([str(program)]) == {"": {"version": "v"}, "box ls": {"quiet": "q"}}


def rows(**more):
    given = {"full": {}, "missing": {}, "lacking": {}, "limited": {}} | more
    return compare.command_rows({"ps": ["all", "quiet", "size"], "swarm join": ["token"]}, {"ps": ["all", "size"]}, **given)


def test_flags_work_or_do_less_or_are_not_here() -> None:
    ps, join = rows(missing={"swarm": "later"}, lacking={"ps --quiet": "loud"}, limited={"--size": "slow"})
    assert ps == CommandRow("ps", True, "", ["all"], {"size": "slow"}, {"quiet": "loud"})
    assert join == CommandRow("swarm join", False, "later")
    assert compare.unexplained([ps, join]) == []


def test_a_short_name_takes_the_reasons_of_its_long_name() -> None:
    ps, _ = rows(full={"ps": "container ls"}, lacking={"container ls --quiet": "loud"}, limited={"container ls --all": "few"})
    assert (ps.works, ps.less, ps.lacks) == (["size"], {"all": "few"}, {"quiet": "loud"})


def test_what_has_no_reason_is_named() -> None:
    assert compare.unexplained(rows()) == [
        "docker ps --quiet: not here, and no reason is given",
        "docker swarm join: not here, and no reason is given",
    ]


def test_a_reason_that_nothing_needs_is_named() -> None:
    found = rows(missing={"swarm": "later"}, lacking={"ps --quiet": "loud"}, limited={"--size": "slow"})
    assert compare.idle(found, {"swarm": ""}, {"ps --quiet": ""}, {"--size": ""}) == []
    wrong = compare.idle(found, {"swar": "", "ps": ""}, {"ps --all": ""}, {"--token": ""})
    assert [line.partition(":")[0] for line in wrong] == ["swar", "ps", "ps --all", "--token"]


def test_additions_are_of_long_names_and_not_what_docker_hides() -> None:
    own = {"ps": ["all", "new"], "container ls": ["all", "new", "old"], "doctor": ["x"], "dial": []}
    docker = {"ps": ["all"], "container ls": ["all"]}
    found = compare.additions(docker, own, full={"ps": "container ls"}, hidden={"--old", "dial"})
    assert found == {"container ls": ["new"], "doctor": []}


class Serving:
    async def answer(self, request) -> Answer:
        """A method is not asked: what it serves from decides."""
        if request:
            raise NotImplementedInArgosyError("never asked")
        return Answer(200)

    async def refuse(self, request) -> Answer:
        """Words before the act."""
        raise NotImplementedInArgosyError("whatever is asked")


async def refuse(request) -> Answer:
    raise NotImplementedInArgosyError(f"no {request.parts['id']}")


def test_routes_are_served_or_answer_with_their_words_or_are_not_there() -> None:
    table = Table(
        [
            Route("GET", "/a/{id}", Serving().answer),
            Route("POST", "/a/{id:.*}", refuse),
            Route("DELETE", "/a/{id}", Serving().refuse),
            Route("GET", "/own", Serving().answer),
        ]
    )
    wanted = [("GET", "/a/{name}"), ("POST", "/a/{name}"), ("PUT", "/a/{name}"), ("DELETE", "/a/{name}")]
    assert ours.operations(table, wanted) == [
        Operation("GET", "/a/{name}"),
        Operation("POST", "/a/{name}", 501, "no NAME"),
        Operation("PUT", "/a/{name}", 404, ""),
        Operation("DELETE", "/a/{name}", 501, "whatever is asked"),
    ]
    assert ours.further_routes(table, wanted) == [Operation("GET", "/own")]


def test_described_operations_leave_out_what_is_no_method() -> None:
    assert ours.described({"paths": {"/a": {"get": {}, "parameters": [], "delete": {}}}}) == [("GET", "/a"), ("DELETE", "/a")]


def test_an_answer_is_explained_by_how_its_words_begin() -> None:
    assert compare.explain(Operation("GET", "/a", 503, "This node is none."), {"This node": "no swarm"}).why == "no swarm"
    assert compare.explain(Operation("GET", "/a", 501, "other"), {"This node": "no swarm"}).why == "other"


def test_every_command_of_ours_is_known_by_all_its_names() -> None:
    commands = ours.commands()
    assert "all" in commands["ps"] and commands["ps"] == commands["container ls"]
    assert ours.full_names()["ps"] == "container ls"
    assert ours.words("ps", "all") and ours.words("doctor")


def test_cells_keep_a_table_whole_and_join_what_has_one_reason() -> None:
    assert page.table(("a", "b"), [("x|y", "z")]).splitlines() == ["| a | b |", "| --- | --- |", "| x\\|y | z |"]
    row = CommandRow("ps", True, "", ["all"], {"x": "w"}, {"y": "w", "z": "v: w"})
    assert page.command_cells(row) == ("`ps`", "`--all`", "`--x`, `--y`: w<br>`--z`: v: w")


@pytest.mark.parametrize(("works", "same"), [(["all"], True), (["all", "more"], False)])
def test_a_short_name_with_other_flags_has_a_row(works: list[str], same: bool) -> None:
    by_name = {"ps": CommandRow("ps", True, works=works), "container ls": CommandRow("container ls", True, works=["all"])}
    assert page.is_short(by_name["ps"], by_name, {"ps": "container ls"}) is same
    assert not page.is_short(by_name["container ls"], by_name, {"container ls": "container ls"})
