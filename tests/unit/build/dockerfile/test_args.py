"""Expected values are Docker 28's."""

import pytest

from argosy.build.dockerfile import DockerfileError, ast, expanded, expanded_from, parse
from argosy.build.dockerfile.args import Platform, declared, global_scope, predefined, proxies, unconsumed
from argosy.build.dockerfile.configure import apply_to_config, environment
from argosy.build.dockerfile.stages import base_of, check_order, source_of, target
from argosy.oci.config import Config

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64", "v8")


def labels(text, **build_args):
    """Build the last stage as a solver does, changing nothing but the configuration; return its labels."""
    file = parse(text.encode(), "f")
    known = predefined(build=AMD, target=ARM, stage="", build_args=build_args)
    scope = global_scope(file, predefined=known, build_args=build_args)
    config = Config()
    visible = environment(config)
    for one in file.stages[-1].instructions:
        if isinstance(one, ast.Arg):
            visible.update(declared(one, visible=visible, global_scope=scope, build_args=build_args, escape=file.escape))
            continue
        one = expanded(one, visible, escape=file.escape)
        config = apply_to_config(config, one)
        if isinstance(one, ast.Env):
            visible.update({pair.key: pair.value for pair in one.pairs})
    return dict(config.labels or {})


@pytest.mark.parametrize(
    ("text", "build_args", "value"),
    [
        ("ARG G=g\nFROM a\nLABEL l=$G", {}, ""),
        ("ARG G=g\nFROM a\nARG G\nLABEL l=$G", {}, "g"),
        ("ARG G=g\nFROM a\nARG G\nLABEL l=$G", {"G": "cli"}, "cli"),
        ("ARG G=g\nFROM a\nARG G=mine\nLABEL l=$G", {}, "mine"),
        ("ARG G=g H=$G$TARGETARCH\nFROM a\nARG H\nLABEL l=$H", {}, "garm64"),
        ("ARG N\nFROM a\nARG N\nLABEL l=${N-unset}", {}, "unset"),
        ("FROM a\nLABEL l=$TARGETARCH", {}, ""),
        ("FROM a\nARG TARGETPLATFORM\nLABEL l=$TARGETPLATFORM", {}, "linux/arm64/v8"),
        ("ARG TARGETPLATFORM\nFROM a\nARG TARGETPLATFORM\nLABEL l=$TARGETPLATFORM", {}, "linux/arm64/v8"),
        ("FROM a\nARG TARGETARCH\nLABEL l=$TARGETARCH", {"TARGETARCH": "foo"}, "foo"),
        ("FROM a\nARG BUILDPLATFORM TARGETSTAGE\nLABEL l=$BUILDPLATFORM-$TARGETSTAGE", {}, "linux/amd64-default"),
        ("FROM a\nARG A=1 B=$A\nLABEL l=$B", {}, "1"),
        ("FROM a\nENV E=env\nARG E=arg\nLABEL l=$E", {}, "arg"),
        ("FROM a\nARG E=arg\nENV E=env\nLABEL l=$E", {"E": "cli"}, "env"),
        ("FROM a\nENV E=env\nARG E\nLABEL l=$E", {}, "env"),
        ("FROM a\nLABEL l=$HTTP_PROXY", {"HTTP_PROXY": "p"}, ""),
        ("FROM a\nARG HTTP_PROXY\nLABEL l=$HTTP_PROXY", {"HTTP_PROXY": "p"}, "p"),
        ("FROM a\nARG Q=${x?y}\nLABEL l=$Q", {"Q": "1"}, "1"),
        ("FROM a\nENV a=1 b=$a\nLABEL l=$b", {}, ""),
    ],
)
def test_what_is_visible_where(text, build_args, value):
    assert labels(text, **build_args) == {"l": value}


def test_a_default_that_cannot_be_expanded_is_refused():
    with pytest.raises(DockerfileError, match='failed to process "\\$\\{x\\?y\\}": x: y'):
        labels("FROM a\nARG Q=${x?y}")


def test_from_sees_the_global_scope():
    file = parse(b"ARG V=1\nFROM --platform=$BUILDPLATFORM a:$V AS x\nFROM $none\nFROM --platform=$none a", "f")
    scope = global_scope(file, predefined=predefined(build=AMD, target=ARM, stage="", build_args={}), build_args={})
    assert expanded_from(file.stages[0], scope) == ("a:1", "linux/amd64")
    for stage, words in (
        (file.stages[1], r"base name \(\$none\) should not be blank"),
        (file.stages[2], r"empty platform value from expression \$none"),
    ):
        with pytest.raises(DockerfileError, match=words):
            expanded_from(stage, scope)


def test_arguments_that_nothing_takes_are_told():
    file = parse(b"ARG A\nFROM a\nARG B=1\n", "f")
    known = predefined(build=AMD, target=ARM, stage="", build_args={})
    given = dict.fromkeys(["A", "B", "y", "x", "http_proxy", "TARGETARCH"], "1")
    assert unconsumed(file, given, known=known) == "[Warning] One or more build-args [x y] were not consumed"
    assert unconsumed(file, {"A": "1"}, known=known) == ""
    assert proxies(given) == {"http_proxy": "1"}


def test_names_of_stages():
    stages = parse(b"FROM a AS x\nFROM x AS x\nFROM X\nCOPY --from=1 a b\n", "f").stages
    assert base_of(stages, stages[0], "x") is None
    assert base_of(stages, stages[1], "x") is stages[0]
    assert base_of(stages, stages[2], "X") is stages[1]
    assert source_of(stages, "0") is stages[0] and source_of(stages, "busybox") is None
    assert target(stages, "") is stages[2] and target(stages, "X") is stages[1] and target(stages, "0") is stages[0]
    with pytest.raises(ValueError, match=r'target stage "xx" could not be found \(did you mean x\?\)'):
        target(stages, "xx")


def test_a_later_stage_cannot_be_copied_from_when_it_matters():
    stages = parse(b"FROM a AS x\nCOPY --from=y /f /g\nFROM a AS y\n", "f").stages
    check_order(stages, stages[1])
    with pytest.raises(DockerfileError, match='cannot copy from stage "y", it needs to be defined before current stage "x"'):
        check_order(stages, stages[0])


def test_many_stages_in_a_row_are_no_trouble():
    text = "FROM a AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(3000))
    assert len(parse(text.encode(), "f").stages) == 3001
