"""The grammar applied to a stage's state: arguments declared, variables replaced, the configuration changed. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from argosy.build.dockerfile import apply_to_config, ast, expanded
from argosy.build.dockerfile import args as arguments
from argosy.build.dockerfile.configure import environment
from argosy.build.solve.state import State


class Expander:
    """Of one build. ``global_scope``: what FROM lines see."""

    def __init__(self, *, escape: str, global_scope: Mapping[str, str], build_args: Mapping[str, str]) -> None:
        self._escape = escape
        self._global = global_scope
        self._build_args = build_args

    @staticmethod
    def visible(state: State) -> dict[str, str]:
        return {**environment(state.config), **state.args}

    def declared(self, one: ast.Instruction, state: State) -> State:
        """Return the state with what an ARG brings."""
        if not isinstance(one, ast.Arg):
            return state
        added = arguments.declared(
            one, visible=self.visible(state), global_scope=self._global, build_args=self._build_args, escape=self._escape
        )
        return replace(state, args={**state.args, **added})

    def expanded(self, one: ast.Instruction, state: State) -> ast.Instruction:
        if isinstance(one, ast.Arg):
            pairs = tuple(ast.ArgPair(pair.key, state.args.get(pair.key)) for pair in one.pairs)
            return replace(one, pairs=pairs)
        return expanded(one, self.visible(state), escape=self._escape)

    @staticmethod
    def configured(one: ast.Instruction, state: State) -> State:
        """Return the state after it. Of ENV and ARG with one name the later wins."""
        if isinstance(one, ast.Maintainer):
            return replace(state, author=one.name)
        config = apply_to_config(state.config, one, keep_command=state.commanded)
        args = state.args
        if isinstance(one, ast.Env):
            set_now = {pair.key for pair in one.pairs}
            args = {name: value for name, value in args.items() if name not in set_now}
        return replace(state, config=config, args=args, commanded=state.commanded or isinstance(one, ast.Cmd))
