"""How a step is written in an image's history: BuildKit's words, which ``docker history`` shows today. Pure.

moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert.go``: a step that makes a layer ends in ``# buildkit``.
"""

import json
from collections.abc import Sequence

from argosy.build.dockerfile import ast

COMMENT = "buildkit.dockerfile.v0"
_MARK = " # buildkit"


def run(args: Sequence[str], build_args: Sequence[tuple[str, str]]) -> str:
    """Return it for a RUN; ``build_args`` are those that the program sees."""
    seen = [f"{name}={value}" for name, value in build_args]
    front = f"|{len(seen)} {' '.join(seen)} " if seen else ""
    return f"RUN {front}{' '.join(args)}{_MARK}"


def copy(instruction: ast.Copy | ast.Add) -> str:
    """Return it for a COPY or ADD."""
    name = "COPY" if isinstance(instruction, ast.Copy) else "ADD"
    flags = [f"--{flag}={value}" for flag in ("chown", "chmod") if (value := getattr(instruction, flag))]
    words = [*flags, *instruction.sources, *(document.name for document in instruction.heredocs), instruction.target]
    return f"{name} {' '.join(words)}{_MARK}"


def plain(instruction: ast.Instruction, command: Sequence[str] = ()) -> str:
    """Return it for an instruction that only changes the configuration; ``command`` with the shell in front, where it has one."""
    match instruction:
        case ast.Cmd():
            return f"CMD {_go_list(command)}"
        case ast.Entrypoint():
            return f"ENTRYPOINT {_go_list(command)}"
        case ast.Env():
            return f"ENV {_pairs(instruction.pairs)}"
        case ast.Label():
            return f"LABEL {_pairs(instruction.pairs)}"
        case ast.Expose():
            return f"EXPOSE [{' '.join(port if '/' in port else port + '/tcp' for port in instruction.ports)}]"
        case ast.Volume():
            return f"VOLUME [{' '.join(instruction.paths)}]"
        case ast.User():
            return f"USER {instruction.name}"
        case ast.Workdir():
            return f"WORKDIR {instruction.path}"
        case ast.Maintainer():
            return f"MAINTAINER {instruction.name}"
        case ast.Onbuild():
            return f"ONBUILD {instruction.trigger}"
        case ast.Stopsignal():
            return f"STOPSIGNAL {instruction.signal}"
        case ast.Shell():
            return f"SHELL [{' '.join(instruction.words)}]"
        case ast.Arg():
            return "ARG " + " ".join(pair.key if pair.default is None else f"{pair.key}={pair.default}" for pair in instruction.pairs)
        case ast.Healthcheck():
            return instruction.original
    return instruction.original


def _go_list(words: Sequence[str]) -> str:
    """Return a list as Go's ``%q`` writes it."""
    return "[" + " ".join(json.dumps(word, ensure_ascii=False) for word in words) + "]"


def _pairs(pairs: Sequence[ast.Pair]) -> str:
    return " ".join(f"{pair.key}={pair.value}" for pair in pairs)
