from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.build.dockerfile import DockerfileError, ast, expanded, parse, parse_trigger
from argosy.build.dockerfile.heredoc import openings, script, shell_text

HERE = ast.Location("Dockerfile", 2, 2)


def body(*lines, escape=""):
    text = escape + "FROM a\n" + "\n".join(lines) + "\n"
    return parse(text.encode(), "Dockerfile").stages[0].instructions


def one(*lines):
    (found,) = body(*lines)
    return found


def command(text, **more):
    return ast.Command((text,), shell=True, **more)


def exec_form(*words):
    return ast.Command(words, shell=False)


@pytest.mark.parametrize(
    ("line", "instruction"),
    [
        ("RUN  echo  hi ", ast.Run(HERE, "RUN  echo  hi", command("echo  hi"))),
        ('RUN ["a", "b c"]', ast.Run(HERE, 'RUN ["a", "b c"]', exec_form("a", "b c"))),
        ("RUN ['a']", ast.Run(HERE, "RUN ['a']", command("['a']"))),
        ('RUN ["a"] && b', ast.Run(HERE, 'RUN ["a"] && b', command('["a"] && b'))),
        ("RUN", ast.Run(HERE, "RUN", ast.Command((), shell=True))),
        ("run --network=none -- x", ast.Run(HERE, "run --network=none -- x", command("x"), network="none")),
        ("RUN --security=insecure x", ast.Run(HERE, "RUN --security=insecure x", command("x"), security="insecure")),
        ("RUN [ -f x ]", ast.Run(HERE, "RUN [ -f x ]", command("[ -f x ]"))),
        ("CMD []", ast.Cmd(HERE, "CMD []", exec_form())),
        ("CMD x y", ast.Cmd(HERE, "CMD x y", command("x y"))),
        ('ENTRYPOINT ["\\ud800"]', ast.Entrypoint(HERE, 'ENTRYPOINT ["\\ud800"]', exec_form("\ufffd"))),
        ("ENV a=1 b='x y' c=\"z\" d=x\\ y", ast.Env(HERE, "ENV a=1 b='x y' c=\"z\" d=x\\ y", (
            ast.Pair("a", "1"), ast.Pair("b", "'x y'"), ast.Pair("c", '"z"'), ast.Pair("d", "x\\ y")))),
        ("ENV a  b $c  d", ast.Env(HERE, "ENV a  b $c  d", (ast.Pair("a", "b $c  d"),))),
        ("ENV a=", ast.Env(HERE, "ENV a=", (ast.Pair("a", ""),))),
        ("ENV a=b=c", ast.Env(HERE, "ENV a=b=c", (ast.Pair("a", "b=c"),))),
        ('LABEL "a b"=c', ast.Label(HERE, 'LABEL "a b"=c', (ast.Pair('"a b"', "c"),))),
        ("MAINTAINER me and you", ast.Maintainer(HERE, "MAINTAINER me and you", "me and you")),
        ("EXPOSE 90 80/udp $X", ast.Expose(HERE, "EXPOSE 90 80/udp $X", ("$X", "80/udp", "90"))),
        ("COPY a b", ast.Copy(HERE, "COPY a b", ("a",), "b")),
        ('COPY ["a b", "c"]', ast.Copy(HERE, 'COPY ["a b", "c"]', ("a b",), "c")),
        (
            "COPY --from=x --chown=1:2 --chmod=0755 --link --parents --exclude=p --exclude=q a b c/",
            ast.Copy(
                HERE, "COPY --from=x --chown=1:2 --chmod=0755 --link --parents --exclude=p --exclude=q a b c/", ("a", "b"), "c/",
                from_="x", chown="1:2", chmod="0755", link=True, parents=True, excludes=("p", "q"),
            ),
        ),
        ("COPY --link=false a b", ast.Copy(HERE, "COPY --link=false a b", ("a",), "b")),
        (
            "ADD --checksum=sha256:aa --keep-git-dir=true --unpack=false --chown=me http://h/x /",
            ast.Add(
                HERE, "ADD --checksum=sha256:aa --keep-git-dir=true --unpack=false --chown=me http://h/x /", ("http://h/x",), "/",
                chown="me", checksum="sha256:aa", keep_git_dir=True, unpack=False,
            ),
        ),
        ("VOLUME /a /b", ast.Volume(HERE, "VOLUME /a /b", ("/a", "/b"))),
        ('VOLUME ["/a b"]', ast.Volume(HERE, 'VOLUME ["/a b"]', ("/a b",))),
        ("USER  a b ", ast.User(HERE, "USER  a b", "a b")),
        ("WORKDIR /a b", ast.Workdir(HERE, "WORKDIR /a b", "/a b")),
        ('ARG a b=1 c="x y"', ast.Arg(HERE, 'ARG a b=1 c="x y"', (
            ast.ArgPair("a", None), ast.ArgPair("b", "1"), ast.ArgPair("c", '"x y"')))),
        ("ARG --x a", ast.Arg(HERE, "ARG --x a", (ast.ArgPair("a", None),))),
        ("STOPSIGNAL SIGTERM", ast.Stopsignal(HERE, "STOPSIGNAL SIGTERM", "SIGTERM")),
        ('SHELL ["/bin/bash", "-c"]', ast.Shell(HERE, 'SHELL ["/bin/bash", "-c"]', ("/bin/bash", "-c"))),
        ("onbuild   RUN   x", ast.Onbuild(HERE, "onbuild   RUN   x", "RUN   x")),
        ("ONBUILD whatever", ast.Onbuild(HERE, "ONBUILD whatever", "whatever")),
        ("HEALTHCHECK none", ast.Healthcheck(HERE, "HEALTHCHECK none", None)),
        (
            "HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --start-interval=1s --retries=3 cmd  curl  x",
            ast.Healthcheck(
                HERE, "HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --start-interval=1s --retries=3 cmd  curl  x",
                command("curl  x"), "5s", "3s", "1m", "1s", "3",
            ),
        ),
        ('HEALTHCHECK CMD ["a"]', ast.Healthcheck(HERE, 'HEALTHCHECK CMD ["a"]', exec_form("a"))),
    ],
)  # fmt: skip
def test_a_line_is_an_instruction(line, instruction):
    assert one(line) == instruction


def test_stages_and_what_is_before_them():
    text = "# syntax = docker/dockerfile:1 x\n# check=skip=all\nARG V=1\nARG W\n"
    text += "FROM base:$V AS Build\nRUN x\nFROM --platform=$BUILDPLATFORM build as two\n"
    file = parse(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), "Dockerfile")
    assert (file.syntax, file.check, file.escape, file.warnings) == ("docker/dockerfile:1", "skip=all", "\\", ())
    assert [pair.key for arg in file.args for pair in arg.pairs] == ["V", "W"]
    first, second = file.stages
    assert (first.number, first.base, first.name, first.platform, first.original) == (0, "base:$V", "build", "", "FROM base:$V AS Build")
    assert (second.number, second.base, second.name, second.platform, second.location.first) == (1, "build", "two", "$BUILDPLATFORM", 7)
    assert [type(item) for item in first.instructions] == [ast.Run] and second.instructions == ()


def test_directives_end_with_the_first_other_line():
    assert parse(b"# hello\n# escape=`\nFROM a\n", "f").escape == "\\"
    assert parse(b"\n# escape=`\nFROM a\n", "f").escape == "\\"
    assert parse(b"# Escape = `\nFROM a\n", "f").escape == "`"
    assert parse(b"#!/usr/bin/env x\n#syntax=a/b\nFROM a\n", "f").syntax == "a/b"


def test_lines_continue_over_comments_and_nothing():
    file = parse(b"FROM a\nRUN x \\\n  # comment\n\n   y \\  \n\\\nz\nRUN w\\\\\n", "f")
    first, second = file.stages[0].instructions
    assert first.command.words == ("x    y z",)
    assert (first.location.first, first.location.last) == (2, 7)
    assert second.command.words == ("w\\\\",)
    assert file.warnings == ("Empty continuation line found in: " + first.original,)


def test_another_escape_character_continues_lines():
    first, second = body("RUN a `", " b", "RUN c \\", escape="# escape=`\n")
    assert first.command.words == ("a  b",) and second.command.words == ("c \\",)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("RUN <<EOF", [("EOF", True, False)]),
        ("RUN 3<<EOF", [("EOF", True, False)]),
        ("RUN <<-EOF", [("EOF", True, True)]),
        ("RUN <<'EOF'", [("EOF", False, False)]),
        ('RUN <<-"EOF"', [("EOF", False, True)]),
        ("RUN <<eo'f'", [("eof", False, False)]),
        ("RUN <<eo\\'f", [("eo'f", True, False)]),
        ("RUN <<'e'o\\'f", [("eo'f", False, False)]),
        ("RUN <<'one two'", [("one two", False, False)]),
        ("RUN <<$EOF", [("$EOF", True, False)]),
        ("RUN <<A python3 <<B", [("A", True, False), ("B", True, False)]),
        ("RUN --mount=type=cache,target=/x <<A", [("A", True, False)]),
        ("COPY <<file.txt /x", [("file.txt", True, False)]),
        ("ONBUILD RUN <<EOF", [("EOF", True, False)]),
        ('RUN "<<EOF"', []),
        ("RUN '<<EOF'", []),
        ('RUN ["<<EOF"]', []),
        ("RUN <<<EOF", []),
        ("RUN x <<", []),
        ("USER <<EOF", []),
        ("RUN cat <<'EOF", []),
    ],
)
def test_words_that_open_documents(line, found):
    assert [(item.name, item.expand, item.strip) for item in openings(line)] == found


def test_documents_of_copy_are_files():
    copy = one("COPY a <<X <<-'Y' /d", "Y", "X", "\tz $v", "\tY")
    assert copy.sources == ("a",) and copy.target == "/d"
    assert copy.heredocs == (ast.Heredoc("X", "Y\n", True), ast.Heredoc("Y", "z $v\n", False))
    assert expanded(copy, {"v": "1"}).heredocs[1].content == "z $v\n"
    copy = one("COPY <<X /d", "\"$v\" '${w:-x}' \\$v", "X")
    assert expanded(copy, {"v": "1"}).heredocs[0].content == "\"1\" 'x' $v\n"


def test_documents_of_run_are_scripts():
    run = one("RUN <<EOF", "#!/usr/bin/python3", "x", "EOF")
    assert script(run.command) == ast.Heredoc("EOF", "#!/usr/bin/python3\nx\n", True)
    run = one("RUN <<-EOF", "\ta", "\tb", "EOF")
    assert script(run.command) is None and shell_text(run.command) == "a\nb\n"
    run = one("RUN cat <<A >x <<B", "1", "A", "2", "B")
    assert shell_text(run.command) == "cat <<A >x <<B\n1\nA\n2\nB"
    assert shell_text(one("RUN x  y").command) == "x  y"
    assert run.location == ast.Location("Dockerfile", 2, 6)


def test_a_document_keeps_its_line_ends():
    file = parse(b"FROM a\r\nCOPY <<E /x\r\na\r\n# no comment\r\n\r\nE\r\n", "f")
    assert file.stages[0].instructions[0].heredocs[0].content == "a\r\n# no comment\r\n\r\n"


def test_a_trigger_is_parsed_when_its_time_comes():
    trigger = one("ONBUILD RUN <<EOF", "x", "EOF").trigger
    assert trigger == "RUN <<EOF\nx\nEOF"
    assert shell_text(parse_trigger(trigger).command) == "x\n"
    with pytest.raises(DockerfileError, match="unknown instruction: whatever"):
        parse_trigger("whatever")


MOUNTS = [
    ("target=/a", ast.Mount("bind", target="/a", readonly=True)),
    ("type=bind,dst=/a,src=b,from=c,rw", ast.Mount("bind", target="/a", source="b", from_="c", readonly=False)),
    ("type=cache,destination=/a,id=i,sharing=locked,mode=0755,uid=1,gid=2",
     ast.Mount("cache", target="/a", id="i", sharing="locked", mode=0o755, uid=1, gid=2, readonly=False)),
    ("type=cache,target=$T", ast.Mount("cache", target="/t", readonly=False)),
    ("TYPE=tmpfs,target=/a,size=64m", ast.Mount("tmpfs", target="/a", size=64 << 20, readonly=False)),
    ("type=secret,id=s,target=/run/s,required,mode=400",
     ast.Mount("secret", target="/run/s", id="s", required=True, mode=0o400, readonly=True)),
    ("type=secret,id=s,env=S,required=false", ast.Mount("secret", id="s", env="S", readonly=True)),
    ("type=ssh", ast.Mount("ssh", readonly=True)),
    ("type=ssh,readonly=false", ast.Mount("ssh", readonly=False)),
    ('type=bind,"target=/a,b"', ast.Mount("bind", target="/a,b", readonly=True)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "mount"), MOUNTS)
def test_mounts(text, mount):
    run = one(f"RUN --mount={text.replace(chr(34), chr(92) + chr(34))} x")
    assert run.mounts[0].from_ == mount.from_
    assert expanded(run, {"T": "/t"}) == replace(run, mounts=(mount,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type=bnd,target=/x", 'unsupported mount type "bnd" (did you mean bind?)'),
        ("tget=/x", "unexpected key 'tget' in 'tget=/x' (did you mean target?)"),
        ("type=bind,mode=7", 'mode not allowed for "bind" type mounts'),
        ("type=bind,foo", "invalid field 'foo' must be a key=value pair"),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("type=secret,id=a,from=c", "secret mount should not have a from"),
        ("type=cache,target=/x,sharing=lokced", 'unsupported sharing value "lokced" (did you mean locked?)'),
        ("type=bind,sharing=locked", "invalid cache sharing set for bind mount"),
        ("type=tmpfs,size=foo", "invalid value for size: foo"),
        ("type=cache,size=1m", "unexpected key 'size' for mount type 'cache'"),
        ("type=secret,id=a,uid=x", "invalid value x for uid"),
        ("type=secret,id=a,mode=9", "invalid value 9 for mode"),
        ("type=secret,id=a,required=foo", "invalid value for required: foo"),
        ("type=bind,required", "unexpected key 'required' for mount type 'bind'"),
    ],
)
def test_wrong_mounts_are_named_when_they_are_used(text, words):
    run = one(f"RUN --mount={text} x")
    with pytest.raises(DockerfileError) as caught:
        expanded(run, {})
    assert str(caught.value) == words and caught.value.line == 2


@given(st.lists(st.text(alphabet="FROMaRUNCPY \\\n\r\t#<-='\"[],$EOF{}:", max_size=30)))
def test_any_file_is_read_or_refused(parts):
    try:
        file = parse(("FROM a\n" + "\n".join(parts)).encode(), "f")
    except DockerfileError as error:
        assert str(error)
        return
    for stage in file.stages:
        for item in stage.instructions:
            try:
                expanded(item, {"a": "1"})
            except DockerfileError as error:
                assert error.line == item.location.first


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    try:
        parse(data, "f")
    except DockerfileError:
        return
