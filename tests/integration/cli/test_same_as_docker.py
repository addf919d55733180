"""Word for word what docker's command line prints on the same daemon, with the same exit status."""

import json
import re
import subprocess
from collections.abc import Sequence

import pytest

from .conftest import Bench, Tool  # type: ignore[import-not-found]

pytestmark = pytest.mark.root


def plain(text: bytes, bench: Bench) -> str:
    """Take away what must differ: the program's name, ids of what each made, and how long ago something was."""
    shown = re.sub(r"\b[0-9a-f]{64}\b", "ID", text.decode())
    shown = re.sub(r"(Less than a|About a|\d+) (second|minute)s?", "SPAN", shown)
    if "SPAN" in shown:
        shown = re.sub(r"   +", "   ", shown)
    return re.sub(r"\bdocker\b", "argosy", re.sub(r"\bDocker\b", "Argosy", shown))


def same(bench: Bench, *words: str, stderr: bool = True, between: Sequence[str] = ()) -> subprocess.CompletedProcess[bytes]:
    """Run both, ``between`` undoes what the first did."""
    ours = bench.argosy(*words)
    if between:
        bench.argosy(*between)
    theirs = bench.docker(*words)
    assert ours.returncode == theirs.returncode, (words, ours.stderr, theirs.stderr)
    assert plain(ours.stdout, bench) == plain(theirs.stdout, bench)
    if stderr:
        assert plain(ours.stderr, bench) == plain(theirs.stderr, bench)
    return ours


@pytest.mark.parametrize(
    "words",
    [
        ["rm"],
        ["rename", "a"],
        ["cp"],
        ["ps", "x"],
        ["run"],
        ["network", "create"],
        ["ps", "-n", "x"],
        ["ps", "-n"],
        ["ps", "--format"],
        ["ps", "-Z"],
        ["ps", "--zzzzzz"],
        ["ps", "--filter", "bla"],
        ["ps", "--format", "{{.Foo}}", "-a"],
        ["ps", "--format", "{{"],
        ["run", "--memory", "xx", "img"],
        ["run", "--pull", "foo", "img"],
        ["run", "-p", "99999", "img"],
        ["run", "--restart", "on-failure:x", "img"],
        ["run", "--mount", "type=foo", "img"],
        ["run", "--rm", "--restart", "always", "img"],
        ["run", "-d", "-a", "stdout", "img"],
        ["create", "UPPER"],
        ["create", ""],
        ["rm", "nonexist"],
        ["stop", "nonexist"],
        ["kill", "nonexist", "nonexist2"],
        ["logs", "nonexist"],
        ["exec", "nonexist", "ls"],
        ["inspect", "nonexist"],
        ["container", "inspect", "nonexist"],
        ["image", "inspect", "nonexist"],
        ["network", "inspect", "nonexist"],
        ["volume", "inspect", "nonexist"],
        ["inspect", "-f", "{{.X}}", "nonexist"],
        ["start", "nonexist"],
        ["wait", "nonexist"],
        ["pause", "nonexist"],
        ["rename", "nonexist", "b"],
        ["port", "nonexist"],
        ["top", "nonexist"],
        ["diff", "nonexist"],
        ["export", "nonexist"],
        ["commit", "nonexist", "foo"],
        ["history", "nonexist"],
        ["tag", "nonexist", "foo"],
        ["rmi", "nonexist"],
        ["network", "rm", "nonexist"],
        ["volume", "rm", "nonexist"],
        ["cp", "a", "b"],
        ["cp", "a:b", "c:d"],
        ["cp", "nonexist:/a", "/tmp"],
        ["update", "x"],
        ["attach", "nonexist"],
        ["restart", "nonexist"],
        ["unpause", "nonexist"],
    ],
)
def test_mistakes(both: Bench, words: list[str]) -> None:
    if words[:2] == ["ps", "--format"] and "{{.Foo}}" in words:
        both.argosy.out("create", "--name", both.name(), both.image)
    same(both, *words)


def test_lists_have_the_same_headers_and_rows(both: Bench) -> None:
    name = both.name("listed")
    both.argosy.out("run", "-d", "--name", name, "-l", "a=b", "-p", "127.0.0.1::80", "-v", "/data", both.image, "sleep", "100")
    both.argosy.out("network", "create", both.name("net"))
    both.argosy.out("volume", "create", both.name("vol"))
    filters = ["--filter", f"name={both.mark}"]
    for words in (
        ["ps", "-a", *filters],
        ["ps", "-a", "-s", *filters],
        ["ps", "-aq", *filters],
        ["ps", "-aq", "--no-trunc", *filters],
        ["ps", "-a", "--format", 'table {{.Names}}\\t{{.Label "a"}}\\t{{.Networks}}', *filters],
        ["ps", "-a", "--format", "{{.ID}} {{.Image}} {{.State}} {{.Mounts}} {{upper .Names}}", *filters],
        ["images", both.image],
        ["images", "-q", "--no-trunc", both.image],
        ["images", "--digests", both.image],
        ["network", "ls", *filters],
        ["network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}}", *filters],
        ["volume", "ls", *filters],
        ["volume", "ls", "-q", *filters],
        ["history", "-q", both.image],
        ["port", name],
        ["port", name, "80"],
        ["port", name, "81"],
        ["top", name, "-o", "pid,comm"],
        ["diff", name],
    ):
        same(both, *words)
    both.argosy.out("rm", "-fv", name)


def as_json(tool: Tool, *words: str) -> object:
    """Return the lines' objects without what changes from one second to the next."""
    return [json.loads(line) | {key: "" for key in ("RunningFor", "CreatedSince") if key in line} for line in tool.out(*words).splitlines()]


def test_json_has_the_same_fields(both: Bench) -> None:
    both.argosy.out("create", "--name", both.name("json"), both.image)
    filters = ["--filter", f"name={both.mark}"]
    for words in (
        ["ps", "-a", "--format", "json", *filters],
        ["images", "--format", "json", both.image],
        ["network", "ls", "--format", "json"],
        ["history", "--format", "json", both.image],
        ["system", "df", "--format", "json"],
    ):
        assert as_json(both.argosy, *words) == as_json(both.docker, *words), words


def test_inspect_and_its_templates(both: Bench) -> None:
    name = both.name("inspected")
    both.argosy.out("create", "--name", name, "-e", "A=1", "-l", "tier=front", "-m", "64m", "-p", "80", both.image, "sleep", "1")
    assert json.loads(both.argosy.out("inspect", name)) == json.loads(both.docker.out("inspect", name))
    assert json.loads(both.argosy.out("image", "inspect", both.image)) == json.loads(both.docker.out("image", "inspect", both.image))
    for template in (
        "{{.Id}} {{.Name}}",
        "{{.State.Status}} {{.State.Running}} {{.State.Pid}}",
        "{{json .Config.Labels}}",
        '{{index .Config.Labels "tier"}}{{index .Config.Labels "none"}}',
        "{{.Config.Labels.tier}} {{.Config.Labels.none}}",
        "{{.HostConfig.Memory}} {{.HostConfig.Binds}} {{.HostConfig.RestartPolicy.Name}}",
        "{{range .Config.Env}}{{println .}}{{end}}",
        "{{range $k, $v := .HostConfig.PortBindings}}{{$k}}={{len $v}} {{end}}",
        "{{if .State.Health}}x{{else}}none{{end}}",
        '{{with .Config.Cmd}}{{join . " "}}{{end}}',
        '{{printf "%-8s|%d" .State.Status .HostConfig.Memory}}',
        "{{.Config.Cmd}} {{len .Config.Cmd}} {{index .Config.Cmd 0 | upper}}",
        "{{.NoSuchField}}",
        "{{.State.Health.Status}}",
    ):
        ours, theirs = (tool("container", "inspect", "-f", template, name) for tool in (both.argosy, both.docker))
        assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout), (template, ours, theirs)
    both.argosy.out("rm", name)


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", "echo out; echo err >&2; exit 7"],
        ["sh", "-c", "kill -9 $$; sleep 5"],
        ["true"],
        ["nocmd"],
        ["/etc/passwd"],
        ["/etc"],
    ],
)
def test_run_ends_with_the_same_status_and_output(both: Bench, words: list[str]) -> None:
    same(both, "run", "--rm", both.image, *words)


@pytest.mark.parametrize("words", [["sh", "-c", "echo out; echo err >&2; exit 7"], ["nocmd"], ["/etc/passwd"], ["-u", "nosuch", "id"]])
def test_exec_ends_with_the_same_status_and_output(both: Bench, words: list[str]) -> None:
    name = both.name("exec")
    both.argosy.out("run", "-d", "--name", name, both.image, "sleep", "100")
    options = words[:2] if words[0] == "-u" else []
    same(both, "exec", *options, name, *words[len(options) :])
    both.argosy.out("rm", "-f", name)


@pytest.mark.parametrize(
    "flags",
    [
        ["--cpuset-cpus", "foo"],
        ["--ipc", "foo"],
        ["--stop-signal", "FOO"],
        ["-w", "foo"],
        ["--cap-add", "FOO"],
        ["--restart", "bla"],
        ["-v", "/a:/b:foo"],
        ["--mount", "type=bind,src=a,dst=/b"],
        ["--mount", "type=bind,src=/nonexist/x,dst=/b"],
        ["--oom-score-adj", "5000"],
        ["--runtime", "foo"],
        ["--volumes-from", "foo"],
        ["--network", "nonexist"],
        ["-m", "1"],
        ["--log-opt", "foo=bar"],
    ],
)
def test_what_the_daemon_refuses_is_told_alike(both: Bench, flags: list[str]) -> None:
    for verb in ("create", "run"):
        remove = ("rm", "-f", both.name("refused"))
        done = same(both, verb, "--name", both.name("refused"), *flags, both.image, between=remove)
        assert done.returncode == 0 or done.stderr
        both.argosy(*remove)


def test_version_and_info_templates(both: Bench) -> None:
    same(both, "version", "--format", "{{.Server.Version}}")
    same(both, "info", "--format", "{{.ServerVersion}} {{.Driver}} {{.CgroupVersion}}")
    ours, theirs = both.argosy.out("info").splitlines(), both.docker.out("info").splitlines()
    drop = ("Version:", "Plugins:", "buildx", "compose", "Path:", "Context:", "Runtimes:")
    server = ours.index("Server:"), theirs.index("Server:")
    assert [line for line in ours[server[0] :] if not line.strip().startswith(drop)] == [
        line for line in theirs[server[1] :] if not line.strip().startswith(drop)
    ]
