"""One line to one instruction: which arguments and flags each takes. buildkit ``instructions/parse.go`` has the rules and the words."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration
from argosy.build.dockerfile import ast, flags, heredoc, mounts, words
from argosy.build.dockerfile.errors import DockerfileError, GrammarError, suggestion
from argosy.build.dockerfile.flags import SWITCH, VALUE, VALUES
from argosy.build.dockerfile.lines import Line

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*\Z")


@dataclass(frozen=True, slots=True)
class From(ast.Instruction):
    """Begins a stage; it is the parser's, and no part of one."""

    base: str
    name: str
    platform: str


@dataclass(frozen=True, slots=True)
class _Request:
    line: Line
    verb: str
    flags: flags.Given
    text: str
    escape: str

    @property
    def original(self) -> str:
        return self.line.text.strip()

    def words(self) -> tuple[str, ...]:
        """The words of the JSON form or those between white space."""
        form = words.json_form(self.text)
        return words.fields(self.text) if form is None else form

    def some(self, found: tuple[str, ...]) -> tuple[str, ...]:
        if not found:
            raise GrammarError(f"{self.verb} requires at least one argument")
        return found

    def one(self) -> str:
        if not self.text:
            raise GrammarError(f"{self.verb} requires exactly one argument")
        return self.text

    def command(self) -> ast.Command:
        form = words.json_form(self.text)
        if form is not None:
            return ast.Command(form, shell=False)
        return ast.Command((self.text,) if self.text else (), shell=True, heredocs=self.line.heredocs)


def instruction(line: Line, escape: str) -> ast.Instruction:
    """Raises DockerfileError with the line's place."""
    verb, given, text = words.command(line.text)
    try:
        if verb.upper() not in _VERBS:
            raise GrammarError(f"unknown instruction: {verb}{suggestion(verb, tuple(_VERBS), any_case=True)}")
        build, known = _VERBS[verb.upper()]
        taken = flags.Given() if known is None else flags.parse(given, known)
        return build(_Request(line, verb.upper(), taken, text, escape))
    except (GrammarError, InvalidParameterError) as error:
        raise DockerfileError(f"dockerfile parse error on line {line.location.first}: {error}", line.location, line.text) from None


def _from(ask: _Request) -> From:
    found = words.fields(ask.text)
    if len(found) not in (1, 3) or (len(found) == 3 and found[1].lower() != "as"):
        raise GrammarError("FROM requires either one or three arguments")
    name = found[2].lower() if len(found) == 3 else ""
    if name and not _STAGE_NAME.match(name):
        message = "name can't start with a number or contain symbols"
        raise GrammarError(f"invalid name for build stage: {words.quoted(found[2])}, {message}")
    return From(ask.line.location, ask.original, found[0], name, ask.flags.text("platform"))


def _run(ask: _Request) -> ast.Run:
    network, security = ask.flags.text("network"), ask.flags.text("security")
    if "network" in ask.flags.values and network not in ("default", "none", "host"):
        raise GrammarError(f"invalid network mode {words.quoted(network)}")
    if "security" in ask.flags.values and security not in ("sandbox", "insecure"):
        raise GrammarError(f"security {words.quoted(security)} is not valid")
    texts = ask.flags.texts("mount")
    outlines = tuple(mounts.outline(text) for text in texts)
    return ast.Run(ask.line.location, ask.original, ask.command(), outlines, network, security, texts)


def _cmd(ask: _Request) -> ast.Cmd:
    return ast.Cmd(ask.line.location, ask.original, ask.command())


def _entrypoint(ask: _Request) -> ast.Entrypoint:
    return ast.Entrypoint(ask.line.location, ask.original, ask.command())


def _pairs(ask: _Request) -> tuple[ast.Pair, ...]:
    """``K=V K2="a b"``, or the old ``K the rest``; the first word tells which."""
    found = ask.some(words.split(ask.text, ask.escape))
    if "=" not in found[0]:
        old = words.key_and_rest(ask.text)
        if len(old) < 2:
            raise GrammarError(f"{ask.verb} must have two arguments")
        return (ast.Pair(*old),)
    pairs = []
    for word in found:
        key, equals, value = word.partition("=")
        if not equals:
            raise GrammarError(f"Syntax error - can't find = in {words.quoted(word)}. Must be of the form: name=value")
        if not key:
            raise GrammarError(f"{ask.verb} names can not be blank")
        pairs.append(ast.Pair(key, value))
    return tuple(pairs)


def _env(ask: _Request) -> ast.Env:
    return ast.Env(ask.line.location, ask.original, _pairs(ask))


def _label(ask: _Request) -> ast.Label:
    return ast.Label(ask.line.location, ask.original, _pairs(ask))


def _maintainer(ask: _Request) -> ast.Maintainer:
    return ast.Maintainer(ask.line.location, ask.original, ask.one())


def _expose(ask: _Request) -> ast.Expose:
    return ast.Expose(ask.line.location, ask.original, tuple(sorted(ask.some(words.fields(ask.text)))))


def _files(ask: _Request) -> tuple[tuple[str, ...], str, tuple[ast.Heredoc, ...]]:
    """Return sources, target and the documents among the sources."""
    found = ask.words()
    if len(found) < 2:
        raise GrammarError(f"{ask.verb} requires at least two arguments, but only one was provided. Destination could not be determined")
    *sources, target = found
    if not ask.line.heredocs:
        return tuple(sources), target, ()
    if heredoc.opening(target) is not None:
        raise GrammarError(f"{ask.verb} cannot accept a heredoc as a destination")
    return tuple(source for source in sources if heredoc.opening(source) is None), target, ask.line.heredocs


def _copy(ask: _Request) -> ast.Copy:
    sources, target, documents = _files(ask)
    given = ask.flags
    return ast.Copy(
        ask.line.location,
        ask.original,
        sources,
        target,
        heredocs=documents,
        from_=given.text("from"),
        chown=given.text("chown"),
        chmod=given.text("chmod"),
        link=bool(given.switch("link")),
        parents=bool(given.switch("parents")),
        excludes=given.texts("exclude"),
    )


def _add(ask: _Request) -> ast.Add:
    sources, target, documents = _files(ask)
    given = ask.flags
    return ast.Add(
        ask.line.location,
        ask.original,
        sources,
        target,
        heredocs=documents,
        chown=given.text("chown"),
        chmod=given.text("chmod"),
        link=bool(given.switch("link")),
        excludes=given.texts("exclude"),
        checksum=given.text("checksum"),
        keep_git_dir=bool(given.switch("keep-git-dir")),
        unpack=given.switch("unpack"),
    )


def _volume(ask: _Request) -> ast.Volume:
    paths = tuple(path.strip() for path in ask.some(ask.words()))
    if not all(paths):
        raise GrammarError("VOLUME specified can not be an empty string")
    return ast.Volume(ask.line.location, ask.original, paths)


def _user(ask: _Request) -> ast.User:
    return ast.User(ask.line.location, ask.original, ask.one())


def _workdir(ask: _Request) -> ast.Workdir:
    return ast.Workdir(ask.line.location, ask.original, ask.one())


def _stopsignal(ask: _Request) -> ast.Stopsignal:
    return ast.Stopsignal(ask.line.location, ask.original, ask.one())


def _arg(ask: _Request) -> ast.Arg:
    pairs = []
    for word in ask.some(words.split(ask.text, ask.escape)):
        key, equals, value = word.partition("=")
        if not key:
            raise GrammarError("ARG names can not be blank")
        pairs.append(ast.ArgPair(key, value if equals else None))
    return ast.Arg(ask.line.location, ask.original, tuple(pairs))


def _shell(ask: _Request) -> ast.Shell:
    form = words.json_form(ask.text)
    if form is None and ask.text:
        raise GrammarError("SHELL requires the arguments to be in JSON form")
    return ast.Shell(ask.line.location, ask.original, ask.some(form or ()))


def _onbuild(ask: _Request) -> ast.Onbuild:
    if not ask.text:
        raise GrammarError("ONBUILD requires at least one argument")
    verb = words.command(ask.text)[0].upper()
    if verb == "ONBUILD":
        raise GrammarError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if verb in ("MAINTAINER", "FROM"):
        raise GrammarError(f"{verb} isn't allowed as an ONBUILD trigger")
    documents = "".join(f"\n{one.content}{one.name}" for one in ask.line.heredocs)
    return ast.Onbuild(ask.line.location, ask.original, re.sub(r"\A\s*ONBUILD\s*", "", ask.line.text, flags=re.IGNORECASE) + documents)


def _healthcheck(ask: _Request) -> ast.Healthcheck:
    kind, *rest = ask.some(tuple(ask.text.split(None, 1)))
    text = rest[0] if rest else ""
    if kind.upper() == "NONE":
        if text:
            raise GrammarError("HEALTHCHECK NONE takes no arguments")
        return ast.Healthcheck(ask.line.location, ask.original, None)
    if kind.upper() != "CMD":
        raise GrammarError(f"Unknown type {words.quoted(kind.upper())} in HEALTHCHECK (try CMD)")
    form = words.json_form(text)
    if not text or form == ():
        raise GrammarError("Missing command after HEALTHCHECK CMD")
    command = ast.Command((text,), shell=True) if form is None else ast.Command(form, shell=False)
    given = {name: ask.flags.text(name) for name in _HEALTH}
    _check_health(given)
    return ast.Healthcheck(ask.line.location, ask.original, command, **{name.replace("-", "_"): value for name, value in given.items()})


def _check_health(given: dict[str, str]) -> None:
    for name, value in given.items():
        if not value:
            continue
        if name != "retries":
            if parse_duration(value) != 0 and parse_duration(value) < 10**6:
                raise GrammarError(f"Interval {words.quoted(name)} cannot be less than 1ms")
        elif not re.fullmatch(r"[+-]?\d+", value):
            raise GrammarError(f"strconv.ParseInt: parsing {words.quoted(value)}: invalid syntax")
        elif int(value) < 0:
            raise GrammarError(f"--retries cannot be negative ({int(value)})")


_HEALTH = ("interval", "timeout", "start-period", "start-interval", "retries")
_FILES = {"chown": VALUE, "chmod": VALUE, "link": SWITCH, "exclude": VALUES}

# None: flags are passed over, as BuildKit does.
_VERBS: dict[str, tuple[Callable[[_Request], ast.Instruction], dict[str, str] | None]] = {
    "ADD": (_add, {**_FILES, "checksum": VALUE, "keep-git-dir": SWITCH, "unpack": SWITCH}),
    "ARG": (_arg, None),
    "CMD": (_cmd, {}),
    "COPY": (_copy, {**_FILES, "from": VALUE, "parents": SWITCH}),
    "ENTRYPOINT": (_entrypoint, {}),
    "ENV": (_env, {}),
    "EXPOSE": (_expose, {}),
    "FROM": (_from, {"platform": VALUE}),
    "HEALTHCHECK": (_healthcheck, dict.fromkeys(_HEALTH, VALUE)),
    "LABEL": (_label, {}),
    "MAINTAINER": (_maintainer, {}),
    "ONBUILD": (_onbuild, {}),
    "RUN": (_run, {"mount": VALUES, "network": VALUE, "security": VALUE}),
    "SHELL": (_shell, {}),
    "STOPSIGNAL": (_stopsignal, None),
    "USER": (_user, {}),
    "VOLUME": (_volume, {}),
    "WORKDIR": (_workdir, {}),
}
