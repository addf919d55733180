"""The program as a whole, without a daemon: tables of commands, help, errors, exit statuses, configuration, completion."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.cli import help as help_
from argosy.cli import registry
from argosy.cli.program import GLOBALS, run

Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def argosy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run ``argosy`` in this process with a configuration of its own and no daemon; returns status and both outputs."""
    for name in ("ARGOSY_HOST", "DOCKER_HOST", "DOCKER_CONTEXT", "ARGOSY_CONTEXT", "DOCKER_TLS_VERIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ARGOSY_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))

    def call(*words: str) -> tuple[int, str, str]:
        code = run(list(words))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def every_path() -> list[str]:
    return sorted({*registry.VERBS.values(), *(f"{noun} {verb}" for noun, group in registry.GROUPS.items() for verb in group.verbs)})


@pytest.mark.parametrize("full", every_path())
def test_every_verb_loads_and_helps(full: str, argosy: Program) -> None:
    command = registry.load(full)
    assert registry.summary_of(f"argosy {full}")
    names = [flag.name for flag in command.flags]
    letters = [flag.letter for flag in command.flags if flag.letter]
    assert len(names) == len(set(names))
    assert len(letters) == len(set(letters))
    code, out, err = argosy(*full.split(), "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage:  argosy {full}")
    for line in out.splitlines():
        assert len(line) <= 120 or "(" in line


def test_help_wraps_to_its_width() -> None:
    text = help_.of_command("argosy run", registry.load("container run"), columns=80)
    options = text[text.index("Options:") :]
    assert max(map(len, options.splitlines())) <= 80


def test_the_program_helps(argosy: Program) -> None:
    for words in ((), ("--help",), ("help",), ("-h",)):
        code, out, _ = argosy(*words)
        assert code == 0, words
        assert "Common Commands:" in out
    assert argosy("help", "run")[1].startswith("Usage:  argosy run [OPTIONS] IMAGE [COMMAND] [ARG...]")
    assert "Manage containers" in argosy("container")[1]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["rnu"], 1, "argosy: 'rnu' is not an argosy command. Did you mean 'run'?"),
        (["xyzzy"], 1, "argosy: 'xyzzy' is not an argosy command.\n"),
        (["container", "lss"], 1, "argosy: unknown command: argosy container lss. Did you mean 'ls'?"),
        (["--nope"], 125, "unknown flag: --nope"),
        (["ps", "--nope"], 125, "unknown flag: --nope\n\nUsage:  argosy ps [OPTIONS]\n\nRun 'argosy ps --help' for more information\n"),
        (["ps", "x"], 1, "argosy: 'argosy ps' accepts no arguments\n\nUsage:  argosy ps [OPTIONS]\n\nRun 'argosy ps --help'"),
        (
            ["rm"],
            1,
            "argosy: 'argosy rm' requires at least 1 argument\n\nUsage:  argosy rm [OPTIONS] CONTAINER [CONTAINER...]\n\nSee 'argosy rm",
        ),
        (
            ["run", "--rm", "--restart", "always", "x"],
            125,
            "argosy: conflicting options: cannot specify both --restart and --rm\n\nRun 'argosy run",
        ),
        (["run", "--pull", "foo", "x"], 125, 'argosy: invalid pull option: \'foo\': must be one of "always", "missing" or "never"'),
        (["run", "-d", "-a", "stdout", "x"], 1, "conflicting options: cannot specify both --attach and --detach"),
        (["create", "UPPER"], 1, "invalid reference format: repository name (library/UPPER) must be lowercase"),
        (["cp", "a", "b"], 1, "must specify at least one container source"),
        (["cp", "a:b", "c:d"], 1, "copying between containers is not supported"),
        (["-H", "unix:///a", "-H", "unix:///b", "ps"], 1, "Specify only one -H"),
        (["-H", "npipe://x", "ps"], 1, "unsupported protocol: npipe"),
        (["-c", "far", "ps"], 1, 'context "far": context not found'),
        (["-c", "far", "-H", "tcp://x", "ps"], 1, "conflicting options: cannot specify both --host and --context"),
        (
            ["-H", "unix:///nonexist.sock", "ps"],
            1,
            "Cannot connect to the Argosy daemon at unix:///nonexist.sock. Is the argosy daemon running?",
        ),
        (["-H", "unix:///nonexist.sock", "run", "x"], 125, "Cannot connect to the Argosy daemon"),
        (["completion", "tcsh"], 1, "no completion for 'tcsh'"),
        (["doctor", "--format", "xml"], 1, "unknown format 'xml'"),
        (["update", "x"], 1, "you must provide one or more flags when using this command"),
        (["logs", "--since", "never", "x"], 1, 'invalid value for "since"'),
        (["save", "-o", "/nonexist/x", "y"], 1, 'failed to save image: invalid output path: directory "/nonexist" does not exist'),
    ],
)
def test_mistakes_are_told_in_dockers_words_with_dockers_status(argosy: Program, words: list[str], code: int, message: str) -> None:
    found, out, err = argosy(*words)
    assert found == code
    assert message in err
    assert out == ""


def test_versions(argosy: Program) -> None:
    assert argosy("-v")[1].startswith("Argosy version ")
    code, out, err = argosy("-H", "unix:///nonexist.sock", "version", "--format", "{{.Client.Version}}")
    assert code == 1
    assert out.strip()
    assert "Cannot connect" in err


def test_contexts_from_birth_to_death(argosy: Program, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    assert argosy("context", "create", "prod", "--docker", f"host=tcp://prod:2376,ca={tmp_path}/ca.pem")[0:2] == (0, "prod\n")
    assert "already exists" in argosy("context", "create", "prod", "--docker", "host=tcp://x")[2]
    assert argosy("context", "use", "prod")[0] == 0
    assert argosy("context", "show")[1] == "prod\n"
    assert json.loads(argosy("context", "inspect")[1])[0]["Endpoints"]["docker"]["Host"] == "tcp://prod:2376"
    assert "prod *" in argosy("context", "ls")[1]
    assert argosy("context", "ls", "-q")[1] == "default\nprod\n"
    assert argosy("context", "update", "prod", "--description", "live")[0] == 0
    assert argosy("context", "create", "copy", "--from", "prod")[0] == 0
    exported = tmp_path / "prod.tar"
    assert argosy("context", "export", "prod", str(exported))[0] == 0
    assert exported.stat().st_mode & 0o077 == 0
    assert argosy("context", "import", "again", str(exported))[0] == 0
    found = json.loads(argosy("context", "inspect", "again")[1])[0]
    assert (found["Metadata"], found["TLSMaterial"]) == ({"Description": "live"}, {"docker": ["ca.pem"]})
    assert "is in use" in argosy("context", "rm", "prod")[2]
    assert argosy("context", "rm", "-f", "prod", "again", "copy")[0] == 0
    assert argosy("context", "show")[1] == "default\n"
    assert argosy("context", "use", "nowhere")[0] == 1
    (tmp_path / "junk").write_bytes(b"junk")
    assert argosy("context", "import", "junk", str(tmp_path / "junk"))[0] == 1


def test_words_are_completed_without_a_daemon(argosy: Program) -> None:
    assert [line.partition("\t")[0] for line in argosy("__complete", "con")[1].splitlines()] == ["container", "context"]
    assert "--network\t" in argosy("__complete", "run", "--net")[1]
    assert argosy("__complete", "-H", "unix:///nonexist.sock", "rm", "")[0:2] == (0, "")
    assert argosy("__complete", "load", "-i", "")[1] == ":files\t\n"
    assert argosy("__complete", "run", "image", "-")[1] == ":files\t\n"
    assert argosy("__complete", "--context", "")[1] == "default\t\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(argosy: Program, shell: str) -> None:
    assert "argosy __complete" in argosy("completion", shell)[1]


def test_global_flags_have_docker_names() -> None:
    wanted = {"config", "context", "debug", "host", "log-level", "tls", "tlscacert", "tlscert", "tlskey", "tlsverify", "version"}
    assert {flag.name for flag in GLOBALS} == wanted
