"""From an expanded instruction to the operation that carries it out, with everything that it reads from found."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from argosy.base.errors import InvalidParameterError
from argosy.build.context.named import NamedContexts
from argosy.build.dockerfile import ast, stages
from argosy.build.dockerfile.args import Platform
from argosy.build.dockerfile.configure import directory
from argosy.build.instructions import add, copy, mounts, run, workdir
from argosy.build.instructions.operation import Operation
from argosy.build.instructions.tree import Tree
from argosy.build.plan import Plan, Planned
from argosy.build.ports import Runner
from argosy.build.solve.base import Bases
from argosy.build.solve.said import Said
from argosy.build.solve.state import State
from argosy.storage.drafts import Drafts
from argosy.storage.ports import Workers


class InstructionOperations:
    """Of one build. ``context``: the directory that the client sent; ``scratch``: for files that are made on the way."""

    def __init__(
        self,
        *,
        dockerfile: ast.Dockerfile,
        plan: Plan,
        context: Path,
        contexts: NamedContexts,
        scratch: Path,
        stage_state: Callable[[int], Awaitable[State]],
        bases: Bases,
        around: run.Surroundings,
        fetcher: add.Fetcher,
        mounter: mounts.Mounter,
        runner: Runner,
        refusal: Callable[[Platform], str],
        drafts: Drafts,
        workers: Workers,
    ) -> None:
        self._dockerfile = dockerfile
        self._plan = plan
        self._context = Tree(path=str(context), context=True)
        self._foreseen = False
        self._foreseeing = asyncio.Lock()
        self._contexts = contexts
        self._scratch = scratch
        self._stage_state = stage_state
        self._bases = bases
        self._around = around
        self._fetcher = fetcher
        self._mounter = mounter
        self._runner = runner
        self._refusal = refusal
        """Why programs of a platform cannot be executed here; empty if they can."""
        self._drafts = drafts
        self._workers = workers

    async def make(self, stage: Planned, instruction: ast.Instruction, state: State, said: Said) -> Operation | None:
        """Return it, None for an instruction that only changes the configuration."""
        cwd = state.config.working_dir or "/"
        match instruction:
            case ast.Run():
                return await self._run(stage, instruction, state, said)
            case ast.Copy():
                await self._foresee()
                tree = await self.tree(stage, instruction.from_, said)
                return await copy.copy(instruction, state.chain, cwd=cwd, tree=tree, documents=self._fresh(), **self._parts())
            case ast.Add():
                await self._foresee()
                return await add.add(
                    instruction, state.chain, cwd=cwd, tree=self._context, fresh=self._fresh, fetcher=self._fetcher, **self._parts()
                )
            case ast.Workdir():
                path = directory(state.config.working_dir, instruction.path)
                return workdir.workdir(path, state.chain, **self._parts())
        return None

    async def _foresee(self) -> None:
        async with self._foreseeing:
            if not self._foreseen:
                every = (one for planned in self._plan.stages for one in planned.stage.instructions)
                self._context = await copy.foresee(self._context, every, self._workers)
                self._foreseen = True

    async def _run(self, stage: Planned, instruction: ast.Run, state: State, said: Said) -> Operation:
        async def tree(name: str) -> Tree:
            return await self.tree(stage, name, said)

        if words := self._refusal(state.platform):
            raise InvalidParameterError(f"RUN: {words}")
        ready = await self._mounter.look(instruction.mounts, state, tree)
        pipes = self._fresh() if instruction.command.heredocs else ""
        return run.run(instruction, state, self._around, ready, pipes=pipes, runner=self._runner, drafts=self._drafts)

    async def tree(self, stage: Planned, name: str, said: Said) -> Tree:
        """Return what ``from=`` means: a named context, an earlier stage, an image; the build context for no name."""
        if not name:
            return self._context
        if (files := await self.named(name)) is not None:
            return files
        found = stages.source_of(self._dockerfile.stages, name) if name.lower() not in self._contexts.names else None
        if found is not None and found.number != stage.stage.number:
            chain = (await self._stage_state(found.number)).chain
        else:
            chain = (await self._bases.image(name, "", said.message)).chain
        return Tree(view=self._drafts.view(chain), owners=True)

    async def named(self, name: str) -> Tree | None:
        """Return the files of a named context, None if the name is none of those."""
        directory = await self._contexts.directory(name)
        return Tree(path=str(directory)) if directory is not None else None

    async def whole(self, stage: Planned, tree: Tree) -> Operation:
        """Return the step that makes a base of all files of a tree."""
        one = ast.Copy(stage.stage.location, f"COPY --from={stage.base} . /", (".",), "/", from_=stage.base)
        return await copy.copy(one, None, cwd="/", tree=tree, documents=self._fresh(), **self._parts())

    def _fresh(self) -> str:
        return tempfile.mkdtemp(dir=self._scratch)

    def _parts(self) -> dict[str, Any]:
        return {"epoch": self._around.epoch, "drafts": self._drafts, "workers": self._workers}
