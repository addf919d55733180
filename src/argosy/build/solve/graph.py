"""The stages of one build, side by side as far as they do not need each other."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec

from argosy.build.dockerfile import ast, parse_trigger
from argosy.build.plan import Plan, Planned
from argosy.build.solve.said import Said
from argosy.build.solve.state import State

Solve = Callable[[Planned, State, Said, tuple[ast.Instruction, ...]], Awaitable[State]]
Begin = Callable[[Planned, Said], Awaitable[State]]


class Graph:
    """``begin`` brings the state of a stage on an image, what ``solve`` gives goes through its instructions."""

    def __init__(self, plan: Plan, *, begin: Begin, solve: Callable[[Planned], Solve], said: Callable[[Planned], Said]) -> None:
        self._plan = plan
        self._begin = begin
        self._solve = solve
        self._said = said
        self._states: dict[int, asyncio.Future[State]] = {}

    async def state(self, number: int) -> State:
        """Return the last state of a stage, once it is reached."""
        return await asyncio.shield(self._states[number])

    async def run(self) -> State:
        """Return the target's state. Raises what the first step that fails raises; the others are cancelled then."""
        loop = asyncio.get_running_loop()
        self._states = {planned.stage.number: loop.create_future() for planned in self._plan.stages}
        try:
            async with asyncio.TaskGroup() as group:
                for planned in self._plan.stages:
                    group.create_task(self._stage(planned))
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        return self._states[self._plan.target].result()

    async def _stage(self, planned: Planned) -> None:
        said = self._said(planned)
        if planned.base_stage >= 0:
            before = await self.state(planned.base_stage)
            said.first(planned.first_step, planned.stage.original)
            state = replace(before, args={}, commanded=False)
        else:
            said.first(planned.first_step, planned.stage.original)
            state = await self._begin(planned, said)
        said.reached(state)
        triggers = tuple(parse_trigger(text) for text in state.config.on_build or ())
        if triggers:
            state = replace(state, config=msgspec.structs.replace(state.config, on_build=None))
        state = await self._solve(planned)(planned, state, said, triggers)
        said.finished()
        self._states[planned.stage.number].set_result(state)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
