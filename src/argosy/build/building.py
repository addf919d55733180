"""One build, from the parsed Dockerfile to the image."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import msgspec

from argosy.base import ids
from argosy.base.clock import rfc3339_nano
from argosy.base.errors import ArgosyError, UnavailableError
from argosy.base.failpoints import hit
from argosy.build import cachesource, history, keys
from argosy.build.cache.record import STATE, CacheRecord
from argosy.build.context.named import NamedContexts
from argosy.build.dockerfile import args as arguments
from argosy.build.dockerfile import ast
from argosy.build.dockerfile.args import Platform
from argosy.build.image import image_config
from argosy.build.instructions.mounts import Mounter
from argosy.build.instructions.run import Surroundings
from argosy.build.plan import Planned, plan
from argosy.build.request import BuildRequest
from argosy.build.services import Services
from argosy.build.solve.base import Bases, platform_of
from argosy.build.solve.cachefrom import CacheFrom
from argosy.build.solve.graph import Graph, Solve
from argosy.build.solve.operations import InstructionOperations
from argosy.build.solve.said import Said
from argosy.build.solve.squash import squash
from argosy.build.solve.stage import StageSolver
from argosy.build.solve.state import State
from argosy.build.solve.words import Expander
from argosy.build.transcript import Message, Transcript
from argosy.images.compose import host_architecture
from argosy.images.distribution.credentials import choose
from argosy.oci.image import History
from argosy.oci.reference import parse


class Building:
    """Made when context and Dockerfile are there; raises InvalidParameterError when what is asked cannot be."""

    def __init__(
        self,
        services: Services,
        request: BuildRequest,
        file: ast.Dockerfile,
        *,
        context: Path,
        contexts: NamedContexts,
        scratch: Path,
        undo: AsyncExitStack,
    ) -> None:
        self._services = services
        self._request = request
        self._undo = undo
        self._scratch = scratch
        self._args = {name: value for name, value in request.build_args.items() if value is not None}
        target = platform_of(request.platform)
        known = arguments.predefined(
            build=Platform("linux", host_architecture()), target=target, stage=request.target, build_args=self._args
        )
        scope = arguments.global_scope(file, predefined=known, build_args=self._args)
        self._plan = plan(file, request.target, scope, contexts.names)
        named = {name for planned in self._plan.stages for name in (planned.stage.name, str(planned.stage.number))}
        self._unknown = request.no_cache_stages - named
        self._unconsumed = arguments.unconsumed(file, self._args, known={**known, "SOURCE_DATE_EPOCH": "", cachesource.INLINE: ""})
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._transcript = Transcript(
            self._queue.put_nowait,
            [planned.stage.number for planned in self._plan.stages],
            detailed=request.detailed,
            quiet=request.quiet,
        )
        self._contexts = contexts
        self._bases = Bases(images=services.images, request=request, contexts=contexts)
        self._sources = [cachesource.parse(text) for text in request.cache_from]
        self._cache_from: CacheFrom | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._cancelled = False
        self._graph = Graph(self._plan, begin=self._begin, solve=self._solve, said=self._said)
        around = Surroundings(
            network=request.network,
            extra_hosts=request.extra_hosts,
            limits=request.limits,
            epoch=request.epoch,
            proxies=arguments.proxies(self._args),
        )
        self._operations = InstructionOperations(
            dockerfile=file,
            plan=self._plan,
            context=context,
            contexts=contexts,
            scratch=scratch,
            stage_state=self._graph.state,
            bases=self._bases,
            around=around,
            fetcher=services.fetcher,
            mounter=Mounter(
                scratch=scratch,
                memory=services.memory,
                secrets=request.secrets,
                agents=request.agents,
                caches=services.caches,
                workers=services.workers,
            ),
            runner=services.runner,
            refusal=services.refusal,
            drafts=services.layers.drafts,
            workers=services.workers,
        )
        self._expander = Expander(escape=file.escape, global_scope=scope, build_args=self._args)

    def begin(self) -> "asyncio.Task[None]":
        """Start it; the task never fails, `messages` does."""
        self._task = self._services.supervisor.spawn(self._run(), name="build")
        return self._task

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what the build says until it has ended. Raises what it failed with."""
        while (message := await self._queue.get()) is not None:
            yield message
        if self._error is not None:
            raise self._error

    def cancel(self) -> None:
        """End it; who reads its messages is told."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._make()
        except Exception as error:
            self._error = error
        except asyncio.CancelledError:
            self._error = UnavailableError("build cancelled")
            if not self._cancelled:
                raise
        finally:
            if self._error is not None:
                # What was done is not lost for the next attempt.
                self._services.supervisor.spawn(self._services.work.save(), name="save the build cache")
            self._queue.put_nowait(None)

    async def _make(self) -> None:
        self._cache_from = await self._find_caches()
        state = await self._graph.run()
        image_id = await self._finish(state)
        self._say_end(image_id)

    # ------------------------------------------------------------ parts of the graph

    def _said(self, planned: Planned) -> Said:
        request = self._request
        name = planned.stage.name or str(planned.stage.number)
        return Said(
            self._transcript,
            planned.stage.number,
            name=name,
            steps=self._plan.steps + bool(request.labels),
            first=planned.first_step,
            own=1 + len(planned.stage.instructions),
            remove=request.remove,
            clock=self._services.clock,
        )

    async def _begin(self, planned: Planned, said: Said) -> State:
        if (tree := await self._operations.named(planned.base)) is not None:
            operation = await self._operations.whole(planned, tree)
            return await self._solver(planned).files(operation, self._bases.nothing(planned.platform), said)
        state = await self._bases.state(planned.base, planned.platform, said.message)
        if state.chain is not None:
            self._undo.enter_context(self._services.layers.leases.hold(state.chain))
        return state

    def _solve(self, planned: Planned) -> Solve:
        return self._solver(planned).solve

    def _solver(self, planned: Planned) -> StageSolver:
        services, request = self._services, self._request
        return StageSolver(
            work=services.work,
            table=services.table,
            operations=self._operations,
            cache_from=self._cache_from,
            expander=self._expander,
            clock=services.clock,
            no_cache=request.no_cache or not request.no_cache_stages.isdisjoint((planned.stage.name, str(planned.stage.number))),
            epoch=request.epoch,
            use=lambda key: self._undo.enter_context(services.table.using(key)),
        )

    async def _find_caches(self) -> CacheFrom | None:
        """Find the images of ``--cache-from``; one that cannot be had is no failure, only said."""
        found = []
        for source in self._sources:
            try:
                if source.fetched:
                    self._say(f"Importing the build cache from {source.reference}")
                    auth = choose(self._request.auth, parse(source.reference).domain)
                    found.append(self._services.images.find((await self._services.images.pull(source.reference, auth=auth)).id))
                else:
                    found.append(self._services.images.find(source.reference))
            except ArgosyError as error:
                self._say(f"[Warning] the build cache of {source.reference} is not used: {error}")
        return CacheFrom(found, strict=any(source.plain for source in self._sources)) if self._sources else None

    def _say(self, text: str) -> None:
        if not self._request.quiet:
            self._queue.put_nowait({"stream": f"{text}\n"})

    # ------------------------------------------------------------ the end

    async def _finish(self, state: State) -> str:
        """Record the image: layers on the disk, then the image, then the cache entries."""
        services, request = self._services, self._request
        state = self._labelled(state)
        if request.squash:
            state = await squash(state, services.layers, self._scratch, created=rfc3339_nano(services.clock.now_ns()))
            if state.chain is not None:
                self._undo.callback(services.layers.leases.release, state.chain)
        hit("build.finish")
        if state.base is not None and state.history == (state.base.config.history or ()):
            # Nothing but FROM: the image is the one that it names.
            config = state.base.config
        else:
            diff_ids = self._diff_ids(state.chain)
            config = image_config(state, diff_ids, epoch=request.epoch, inline=_asked(self._args.get(cachesource.INLINE)))
        await services.layers.drafts.settle()
        hit("build.settled")
        image_id = await services.images.add_built(config, base=state.base, references=request.tags)
        hit("build.recorded")
        services.supervisor.spawn(services.work.save(), name="save the build cache")
        return image_id

    def _labelled(self, state: State) -> State:
        """Labels of the request are one more instruction, as in the classic builder."""
        labels = dict(self._request.labels)
        if not labels:
            return state
        created_by = "LABEL " + " ".join(f"{name}={value}" for name, value in labels.items())
        config = msgspec.structs.replace(state.config, labels={**(state.config.labels or {}), **labels})
        key = keys.state(state.chain, config, [*state.words, created_by])
        known = None if self._request.no_cache else self._services.table.find(key)
        if known is None:
            known = CacheRecord(key, STATE, parent=state.record, chain=state.chain or "", created=self._services.clock.now_ns())
            self._services.table.put(known)
        created = rfc3339_nano(known.created)
        entry = History(created=created, created_by=created_by, comment=history.COMMENT, empty_layer=True)
        after = replace(state, config=config, history=(*state.history, entry))
        said = self._said(self._plan.stages[-1])
        said.first(self._plan.steps + 1, created_by)
        said.reached(after)
        return after

    def _diff_ids(self, chain: str | None) -> tuple[str, ...]:
        found: list[str] = []
        while chain is not None:
            layer = self._services.layers.get(chain)
            found.append(layer.diff_id)
            chain = layer.parent
        return tuple(reversed(found))

    def _say_end(self, image_id: str) -> None:
        send = self._queue.put_nowait
        if self._request.quiet:
            send({"stream": f"{image_id}\n"})
            return
        send({"aux": {"ID": image_id}})
        if self._unknown:
            send({"stream": f"[Warning] stages to build without the cache that are not built: {', '.join(sorted(self._unknown))}\n"})
        if self._unconsumed:
            send({"stream": f"{self._unconsumed}\n"})
        send({"stream": f"Successfully built {ids.short(image_id)}\n"})
        for tag in self._request.tags:
            send({"stream": f"Successfully tagged {tag.familiar}\n"})


def _asked(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true")
