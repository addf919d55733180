"""Which words of which instruction have variables. https://docs.docker.com/reference/dockerfile/#environment-replacement

The others are taken as they are: RUN, CMD, ENTRYPOINT and HEALTHCHECK leave ``$`` to their shell, ONBUILD to the build to come.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from argosy.base.errors import InvalidParameterError
from argosy.build.dockerfile import ast, mounts
from argosy.build.dockerfile.errors import DockerfileError, GrammarError
from argosy.build.dockerfile.expand import expand, expand_text, expand_words

_T = TypeVar("_T", bound=ast.Instruction)


@dataclass(frozen=True, slots=True)
class _Expander:
    env: Mapping[str, str]
    escape: str

    def word(self, text: str) -> str:
        return expand(text, self.env, escape=self.escape)

    def each(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.word(text) for text in texts)

    def words(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Variables whose values are several words become several."""
        return tuple(word for text in texts for word in expand_words(text, self.env, escape=self.escape))

    def pairs(self, pairs: tuple[ast.Pair, ...]) -> tuple[ast.Pair, ...]:
        """All see the values of before the instruction: ``ENV a=1 b=$a`` does not set b to 1."""
        return tuple(ast.Pair(self.word(pair.key), self.word(pair.value)) for pair in pairs)

    def documents(self, heredocs: tuple[ast.Heredoc, ...]) -> tuple[ast.Heredoc, ...]:
        return tuple(replace(one, content=expand_text(one.content, self.env)) if one.expand else one for one in heredocs)

    def mounts(self, texts: tuple[str, ...]) -> tuple[ast.Mount, ...]:
        return tuple(mounts.parse(text, self.word) for text in texts)


_WORD, _EACH, _WORDS, _PAIRS, _DOCUMENTS = _Expander.word, _Expander.each, _Expander.words, _Expander.pairs, _Expander.documents
_TABLE: dict[type[ast.Instruction], dict[str, Callable[..., object]]] = {
    ast.Add: {
        "sources": _EACH, "target": _WORD, "heredocs": _DOCUMENTS, "chown": _WORD, "chmod": _WORD, "checksum": _WORD, "excludes": _EACH,
    },
    ast.Copy: {"sources": _EACH, "target": _WORD, "heredocs": _DOCUMENTS, "chown": _WORD, "chmod": _WORD, "excludes": _EACH},
    ast.Env: {"pairs": _PAIRS},
    ast.Expose: {"ports": _WORDS},
    ast.Label: {"pairs": _PAIRS},
    ast.Stopsignal: {"signal": _WORD},
    ast.User: {"name": _WORD},
    ast.Volume: {"paths": _EACH},
    ast.Workdir: {"path": _WORD},
}  # fmt: skip


def expanded(instruction: _T, env: Mapping[str, str], *, escape: str = "\\") -> _T:
    """Return the instruction with its variables replaced. ``ARG`` is `args.declared`'s. Raises DockerfileError."""
    expander = _Expander(env, escape)
    try:
        if isinstance(instruction, ast.Run):
            return replace(instruction, mounts=expander.mounts(instruction.mount_texts))
        changes: dict[str, Any] = {
            name: how(expander, getattr(instruction, name)) for name, how in _TABLE.get(type(instruction), {}).items()
        }
    except (GrammarError, InvalidParameterError) as error:
        raise DockerfileError(str(error), instruction.location, instruction.original) from None
    return replace(instruction, **changes) if changes else instruction


def expanded_from(stage: ast.Stage, global_scope: Mapping[str, str], *, escape: str = "\\") -> tuple[str, str]:
    """Return base and platform of a stage's FROM; the platform is empty where none is asked for. Raises DockerfileError."""
    try:
        base = expand(stage.base, global_scope, escape=escape)
        platform = expand(stage.platform, global_scope, escape=escape)
        if not base:
            raise GrammarError(f"base name ({stage.base}) should not be blank")
        if stage.platform and not platform:
            raise GrammarError(f"empty platform value from expression {stage.platform}")
    except (GrammarError, InvalidParameterError) as error:
        raise DockerfileError(str(error), stage.location, stage.original) from None
    return base, platform
