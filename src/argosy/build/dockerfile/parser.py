"""The whole file: lines to stages."""

from dataclasses import replace

from argosy.build.dockerfile import ast, stages
from argosy.build.dockerfile.errors import DockerfileError
from argosy.build.dockerfile.instructions import From, instruction
from argosy.build.dockerfile.lines import Line, read


def parse(data: bytes, name: str) -> ast.Dockerfile:
    """Return what the Dockerfile says; ``name`` is for messages. Raises DockerfileError in BuildKit's words."""
    if not data:
        raise DockerfileError("the Dockerfile cannot be empty", ast.Location(name, 0, 0))
    source = read(data, name)
    if not source.lines:
        raise DockerfileError("file with no instructions", ast.Location(name, 0, 0))
    globals_: list[ast.Arg] = []
    found: list[ast.Stage] = []
    body: list[ast.Instruction] = []
    for line in source.lines:
        one = instruction(line, source.escape)
        if isinstance(one, From):
            found = _closed(found, body)
            found.append(ast.Stage(len(found), one.location, one.original, one.base, one.name, one.platform, ()))
            body = []
        elif found:
            body.append(one)
        elif isinstance(one, ast.Arg):
            globals_.append(one)
        else:
            raise DockerfileError("no build stage in current context", line.location, line.text)
    if not found:
        raise DockerfileError("dockerfile contains no stages to build", ast.Location(name, 0, 0))
    whole = tuple(_closed(found, body))
    stages.check(whole)
    return ast.Dockerfile(whole, tuple(globals_), source.escape, source.syntax, source.warnings, source.check)


def _closed(found: list[ast.Stage], body: list[ast.Instruction]) -> list[ast.Stage]:
    return [*found[:-1], replace(found[-1], instructions=tuple(body))] if found else []


def parse_trigger(text: str, *, escape: str = "\\", name: str = "ONBUILD") -> ast.Instruction:
    """Return the instruction of an image's ``ONBUILD`` trigger, here-documents included. Raises DockerfileError."""
    lines = read(text.encode(), name).lines
    if len(lines) != 1:
        raise DockerfileError(f"dockerfile parse error on line {lines[1].location.first}: unexpected instruction", lines[1].location)
    return _checked(lines[0], instruction(lines[0], escape))


def _checked(line: Line, one: ast.Instruction) -> ast.Instruction:
    if isinstance(one, From | ast.Onbuild | ast.Maintainer):
        raise DockerfileError(f"{line.text.split()[0].upper()} isn't allowed as an ONBUILD trigger", line.location, line.text)
    return one
