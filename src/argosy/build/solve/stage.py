"""One stage, instruction by instruction."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from argosy.base import ids
from argosy.base.clock import Clock, rfc3339_nano
from argosy.build import history, keys
from argosy.build.cache.record import STATE, CacheRecord
from argosy.build.cache.table import CacheTable
from argosy.build.dockerfile import ast
from argosy.build.instructions.operation import Operation
from argosy.build.instructions.run import StepFailed, with_shell
from argosy.build.plan import Planned
from argosy.build.solve import words
from argosy.build.solve.cachefrom import CacheFrom
from argosy.build.solve.layers import LayerWork, Step
from argosy.build.solve.said import Said
from argosy.build.solve.state import State
from argosy.oci.image import History


class Operations(Protocol):
    """Makes the operations of instructions that change files."""

    async def make(self, stage: Planned, instruction: ast.Instruction, state: State, said: Said) -> Operation | None:
        """Return it, None for an instruction that only changes the configuration. ``instruction`` is expanded."""
        ...


class StageSolver:
    """Of one build."""

    def __init__(
        self,
        *,
        work: LayerWork,
        table: CacheTable,
        operations: Operations,
        cache_from: CacheFrom | None,
        expander: words.Expander,
        clock: Clock,
        no_cache: bool,
        epoch: int,
        use: Callable[[str], None],
    ) -> None:
        self._work = work
        self._table = table
        self._operations = operations
        self._cache_from = cache_from
        self._expander = expander
        self._clock = clock
        self._no_cache = no_cache
        self._epoch = epoch
        self._use = use
        """Told each key that the build stands on, so that nothing takes it away meanwhile."""

    async def solve(self, stage: Planned, state: State, said: Said, triggers: tuple[ast.Instruction, ...] = ()) -> State:
        """Return the state after the last instruction. Raises what the first that fails raises."""
        if triggers:
            said.triggers(len(triggers))
        for number, instruction in enumerate((*triggers, *stage.stage.instructions)):
            inside = number - len(triggers)
            if inside >= 0:
                said.step(stage.first_step + 1 + inside, instruction)
            else:
                said.trigger(instruction)
            try:
                state = await self._instruction(stage, instruction, state, said)
            except Exception as error:
                said.failed(instruction, error)
                raise
            said.reached(state)
        return state

    async def _instruction(self, stage: Planned, written: ast.Instruction, state: State, said: Said) -> State:
        state = self._expander.declared(written, state)
        instruction = self._expander.expanded(written, state)
        operation = await self._operations.make(stage, instruction, state, said)
        after = self._expander.configured(instruction, state)
        if operation is not None:
            return await self.files(operation, after, said)
        return self._words(instruction, after, said)

    # ------------------------------------------------------------ files

    async def files(self, operation: Operation, state: State, said: Said) -> State:
        """Return the state after a step that changes files, done or found."""
        record = self._cached(operation, state)
        if record is None and not self._no_cache and (self._cache_from is None or not self._cache_from.strict):
            record = await self._work.rebased(self._step(operation, state))
        if record is not None:
            self._table.touch(record.key)
            said.cached()
        else:
            record = await self._make(operation, state, said)
        self._use(record.key)
        entry = self._entry(operation.created_by, record.created, empty=not record.diff_id)
        chain = record.chain or None
        steps = (*state.steps, (operation.key, chain))
        return replace(state, chain=chain, history=(*state.history, entry), steps=steps, record=record.key)

    def _cached(self, operation: Operation, state: State) -> CacheRecord | None:
        if self._no_cache:
            return None
        record = self._work.find(operation.key)
        if self._cache_from is not None:
            taken = self._cache_from.files(record, operation, state)
            if taken is not None and taken is not record and self._work.take(taken):
                return taken
            return record if taken is record else None
        return record

    async def _make(self, operation: Operation, state: State, said: Said) -> CacheRecord:
        step = self._step(operation, state)
        shown = ids.short(operation.key)
        if operation.runs:
            said.running(shown)
        try:
            record = await self._work.do(step, said.output, share=not self._no_cache)
        except StepFailed:
            if operation.runs:
                said.removed(shown)
            raise
        if operation.runs:
            said.removed(shown)
        return record

    def _step(self, operation: Operation, state: State) -> Step:
        return Step(operation, state.chain, state.base.chain if state.base is not None else None, state.record, self._epoch)

    # ------------------------------------------------------------ configuration

    def _words(self, instruction: ast.Instruction, state: State, said: Said) -> State:
        created_by = history.plain(instruction, _command(instruction, state))
        key = keys.state(state.chain, state.config, [*state.words, created_by, state.author])
        known = None if self._no_cache else self._table.find(key)
        made = self._cache_from.words(created_by, state) if self._cache_from is not None and not self._no_cache else None
        if known is not None and made is None and self._cache_from is not None and self._cache_from.strict:
            known = None
        if known is not None or made is not None:
            said.cached()
        if known is None:
            now = self._clock.now_ns() if made is None else made
            known = CacheRecord(key, STATE, parent=state.record, chain=state.chain or "", created=now)
            self._table.put(known)
        return replace(state, history=(*state.history, self._entry(created_by, known.created, empty=True)))

    def _entry(self, created_by: str, created: int, *, empty: bool) -> History:
        return History(created=rfc3339_nano(created), created_by=created_by, comment=history.COMMENT, empty_layer=empty)


def _command(instruction: ast.Instruction, state: State) -> tuple[str, ...]:
    if isinstance(instruction, ast.Cmd | ast.Entrypoint):
        return with_shell(instruction.command, instruction.command.words, state.config.shell)
    return ()
