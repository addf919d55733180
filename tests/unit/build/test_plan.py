import pytest

from argosy.base.errors import InvalidParameterError
from argosy.build.dockerfile import parse
from argosy.build.plan import plan


def planned(text, target="", scope=None, contexts=()):
    return plan(parse(text.encode(), "Dockerfile"), target, scope or {}, contexts)


def numbers(found):
    return [one.stage.number for one in found.stages]


FILE = """
FROM base AS one
RUN 1
FROM base AS unused
RUN 2
FROM one AS two
COPY --from=three /a /a
FROM base AS three
"""


def test_only_the_stages_that_the_target_needs_are_planned():
    found = planned("FROM a AS one\nFROM b AS two\nRUN x\nFROM c\nCOPY --from=one /x /x\n")
    assert numbers(found) == [0, 2] and found.target == 2


def test_a_stage_may_build_on_another_and_mount_a_third():
    found = planned("FROM a AS one\nFROM b AS two\nFROM one\nRUN --mount=type=bind,from=two,target=/t x\n")
    assert numbers(found) == [0, 1, 2]
    last = found.stages[-1]
    assert (last.base, last.base_stage, last.needs) == ("", 0, {0, 1})


def test_steps_are_counted_over_the_planned_stages_alone():
    found = planned("FROM a AS one\nRUN 1\nRUN 2\nFROM b AS no\nRUN 3\nFROM c\nCOPY --from=one /x /x\n")
    assert [one.first_step for one in found.stages] == [1, 4]
    assert found.steps == 5


def test_the_target_may_be_a_name_or_a_number():
    text = "FROM a AS one\nFROM b AS two\n"
    assert planned(text, "one").target == 0
    assert planned(text, "0").target == 0
    with pytest.raises(InvalidParameterError, match='target stage "tow" could not be found'):
        planned(text, "tow")


def test_arguments_before_the_first_from_choose_the_base():
    found = planned("ARG B=x\nFROM --platform=$P ${B}:1\n", scope={"B": "img", "P": "linux/amd64"})
    assert (found.stages[0].base, found.stages[0].platform) == ("img:1", "linux/amd64")


def test_a_copy_from_a_later_stage_is_refused_where_it_is_needed():
    with pytest.raises(InvalidParameterError, match="needs to be defined before"):
        planned(FILE, "two")
    assert numbers(planned(FILE, "unused")) == [1]


def test_a_named_context_goes_before_a_stage():
    found = planned("FROM a AS one\nFROM one\n", contexts=("one",))
    assert numbers(found) == [1] and found.stages[0].base == "one"
