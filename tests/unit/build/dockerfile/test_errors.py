"""Every message as Docker 28 (BuildKit 0.2x) gives it, without its client's "failed to solve: "."""

import pytest

from argosy.build.dockerfile import DockerfileError, parse

ON_2 = "dockerfile parse error on line 2: "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FROM a\nFRMO x", ON_2 + "unknown instruction: FRMO (did you mean FROM?)"),
        ("FROM a\nfrmo x a", ON_2 + "unknown instruction: frmo (did you mean from?)"),
        ("FROM a\nXYZZYFOO x", ON_2 + "unknown instruction: XYZZYFOO"),
        ("FROM a\nRUN --fo=x a", ON_2 + "unknown flag: --fo"),
        ("FROM a\nCOPY --frm=x a b", ON_2 + "unknown flag: --frm (did you mean from?)"),
        ("FROM a\nADD --from=foo a b", ON_2 + "unknown flag: --from"),
        ("FROM a\nLABEL --foo=a b=c", ON_2 + "unknown flag: --foo"),
        ("FROM a\nRUN --mount a", ON_2 + "missing a value on flag: --mount"),
        ("FROM a\nRUN --mount= a", ON_2 + "failed to parse csv mounts: EOF"),
        ("FROM a\nRUN --network=none --network=none a", ON_2 + "duplicate flag specified: --network"),
        ("FROM a\nRUN --network=foo a", ON_2 + 'invalid network mode "foo"'),
        ("FROM a\nRUN --mount=from=$x,target=/x a", ON_2 + "'from' doesn't support variable expansion, define alias stage instead"),
        ("FROM a\nCOPY --link=foo a b", ON_2 + "expecting boolean value for flag --link, not: foo"),
        ("FROM a\nCOPY --link= a b", ON_2 + "missing a value on flag: --link"),
        ("FROM a\nCOPY --chown a b", ON_2 + "missing a value on flag: --chown"),
        (
            "FROM a\nCOPY a",
            ON_2 + "COPY requires at least two arguments, but only one was provided. Destination could not be determined",
        ),
        (
            'FROM a\nCOPY ["a"]',
            ON_2 + "COPY requires at least two arguments, but only one was provided. Destination could not be determined",
        ),
        ("FROM a\nCOPY a <<EOF\nfoo\nEOF", ON_2 + "COPY cannot accept a heredoc as a destination"),
        ("FROM a\nCOPY <<EOF /x\nfoo", "unterminated heredoc"),
        (
            "FROM a AS 1a",
            'dockerfile parse error on line 1: invalid name for build stage: "1a", name can\'t start with a number or contain symbols',
        ),
        ("FROM a b c", "dockerfile parse error on line 1: FROM requires either one or three arguments"),
        ("FROM", "dockerfile parse error on line 1: FROM requires either one or three arguments"),
        ("RUN x", "no build stage in current context"),
        ("# nothing\n", "file with no instructions"),
        ("   \n", "file with no instructions"),
        ("", "the Dockerfile cannot be empty"),
        ("ARG x\n", "dockerfile contains no stages to build"),
        ("FROM a\nSHELL foo", ON_2 + "SHELL requires the arguments to be in JSON form"),
        ("FROM a\nSHELL []", ON_2 + "SHELL requires at least one argument"),
        ('FROM a\nCMD ["a", 1]', ON_2 + "when using JSON array syntax, arrays must be comprised of strings only"),
        ("FROM a\nENV a", ON_2 + "ENV must have two arguments"),
        ("FROM a\nENV a=b c", ON_2 + 'Syntax error - can\'t find = in "c". Must be of the form: name=value'),
        ("FROM a\nENV =b", ON_2 + "ENV names can not be blank"),
        ("FROM a\nENV", ON_2 + "ENV requires at least one argument"),
        ("FROM a\nLABEL", ON_2 + "LABEL requires at least one argument"),
        ("FROM a\nARG =a", ON_2 + "ARG names can not be blank"),
        ("FROM a\nARG", ON_2 + "ARG requires at least one argument"),
        ("FROM a\nWORKDIR", ON_2 + "WORKDIR requires exactly one argument"),
        ("FROM a\nUSER", ON_2 + "USER requires exactly one argument"),
        ("FROM a\nSTOPSIGNAL", ON_2 + "STOPSIGNAL requires exactly one argument"),
        ("FROM a\nMAINTAINER", ON_2 + "MAINTAINER requires exactly one argument"),
        ("FROM a\nVOLUME", ON_2 + "VOLUME requires at least one argument"),
        ("FROM a\nVOLUME []", ON_2 + "VOLUME requires at least one argument"),
        ('FROM a\nVOLUME ["", "a"]', ON_2 + "VOLUME specified can not be an empty string"),
        ("FROM a\nEXPOSE", ON_2 + "EXPOSE requires at least one argument"),
        ("FROM a\nHEALTHCHECK FOO a", ON_2 + 'Unknown type "FOO" in HEALTHCHECK (try CMD)'),
        ("FROM a\nHEALTHCHECK --interval=1us CMD a", ON_2 + 'Interval "interval" cannot be less than 1ms'),
        ("FROM a\nHEALTHCHECK --interval=x CMD a", ON_2 + 'time: invalid duration "x"'),
        ("FROM a\nHEALTHCHECK --retries=-1 CMD a", ON_2 + "--retries cannot be negative (-1)"),
        ("FROM a\nHEALTHCHECK --retries=x CMD a", ON_2 + 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("FROM a\nHEALTHCHECK NONE a", ON_2 + "HEALTHCHECK NONE takes no arguments"),
        ("FROM a\nHEALTHCHECK CMD", ON_2 + "Missing command after HEALTHCHECK CMD"),
        ("FROM a\nHEALTHCHECK", ON_2 + "HEALTHCHECK requires at least one argument"),
        ("FROM a\nONBUILD", ON_2 + "ONBUILD requires at least one argument"),
        ("FROM a\nONBUILD FROM x", ON_2 + "FROM isn't allowed as an ONBUILD trigger"),
        ("FROM a\nONBUILD MAINTAINER x", ON_2 + "MAINTAINER isn't allowed as an ONBUILD trigger"),
        ("FROM a\nONBUILD ONBUILD x", ON_2 + "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("# escape=x\nFROM a", "invalid escape token 'x' does not match ` or \\"),
        ("# escape=`\n# escape=`\nFROM a", "only one escape parser directive can be used"),
        ("FROM a AS x\nCOPY --from=x a b", "circular dependency detected on stage: x"),
        ("FROM a AS x\nCOPY --from=0 a b", "circular dependency detected on stage: x"),
        ("FROM a AS x\nRUN --mount=from=x,target=/a b", "circular dependency detected on stage: x"),
        ("FROM a AS x\nRUN --mount=from=y,target=/a b\nFROM a AS y\nCOPY --from=x a b", "circular dependency detected on stage: x"),
        ("FROM a\nCOPY --from=7 a b", "invalid stage index 7"),
        ("FROM a\nCOPY --from=-1 a b", "invalid stage index -1"),
        (
            "FROM a\nCOPY --from=$x a b",
            "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
        ),
        ("FROM a\nLABEL a=" + "x" * 70000, "dockerfile line greater than max allowed size of 65535"),
    ],
)
def test_a_mistake_is_named_in_docker_s_words(text, words):
    with pytest.raises(DockerfileError) as caught:
        parse(text.encode(), "Dockerfile")
    assert str(caught.value) == words


def test_an_error_knows_its_place():
    text = "FROM a\n\nRUN x \\\n  y\nCOPY \\\n a\nRUN z\n"
    with pytest.raises(DockerfileError) as caught:
        parse(text.encode(), "sub/Dockerfile")
    error = caught.value
    assert (error.file, error.line, error.instruction) == ("sub/Dockerfile", 5, "COPY  a")
    assert error.excerpt(text).splitlines() == [
        "sub/Dockerfile:5",
        "--------------------",
        "   3 |     RUN x \\",
        "   4 |       y",
        "   5 | >>> COPY \\",
        "   6 | >>>  a",
        "   7 |     RUN z",
        "   8 |",
        "--------------------",
    ]


def test_an_error_about_the_whole_file_has_no_excerpt():
    with pytest.raises(DockerfileError) as caught:
        parse(b"ARG x\n", "Dockerfile")
    assert caught.value.line == 0
    assert caught.value.excerpt("ARG x\n") == ""


@pytest.mark.parametrize("length", [65534, 65535])
def test_the_longest_line_is_taken(length):
    text = "FROM a\nLABEL a=" + "x" * (length - 8)
    assert parse(text.encode(), "Dockerfile").stages[0].instructions
    assert parse(text.encode() + b"\n", "Dockerfile").stages[0].instructions
