"""Which stages a target needs, and what each of them needs. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError
from argosy.build.dockerfile import ast, expanded_from, stages


@dataclass(frozen=True, slots=True)
class Planned:
    stage: ast.Stage
    base: str
    """Image reference or ``scratch``; empty when it is a stage."""
    base_stage: int
    """Number of the stage it builds on, -1 for none."""
    platform: str
    needs: frozenset[int]
    """Stages that it builds on, copies from or mounts."""
    first_step: int
    """Number of its FROM among all steps, from 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    stages: tuple[Planned, ...]
    """Those that the target needs, in the Dockerfile's order."""
    target: int
    steps: int


def plan(dockerfile: ast.Dockerfile, target: str, global_scope: Mapping[str, str], contexts: Collection[str] = ()) -> Plan:
    """Raises InvalidParameterError (DockerfileError) on a target that is no stage, a copy from a later one, a FROM without a name.

    ``contexts``: names of named contexts in lower case, which go before stages and images of that name.
    """
    every = dockerfile.stages
    try:
        chosen = stages.target(every, target)
    except ValueError as error:
        raise InvalidParameterError(str(error)) from None
    bases = {}
    for stage in every:
        name, platform = expanded_from(stage, global_scope, escape=dockerfile.escape)
        on = None if name.lower() in contexts else stages.base_of(every, stage, name)
        bases[stage.number] = (name if on is None else "", on.number if on is not None else -1, platform)
    needs = {stage.number: _needs(every, stage, contexts) | ({bases[stage.number][1]} - {-1}) for stage in every}
    planned, step = [], 1
    for number in sorted(_reachable(chosen.number, needs)):
        stage = every[number]
        stages.check_order(every, stage)
        name, on_number, platform = bases[number]
        planned.append(Planned(stage, name, on_number, platform, frozenset(needs[number]), step))
        step += 1 + len(stage.instructions)
    return Plan(tuple(planned), chosen.number, step - 1)


def _needs(every: tuple[ast.Stage, ...], stage: ast.Stage, contexts: Collection[str]) -> frozenset[int]:
    """Copies and mounts from stages, but for names that a context has taken."""
    return frozenset(other.number for other, _ in stages.sources(every, stage) if other.name not in contexts or not other.name)


def _reachable(start: int, needs: Mapping[int, frozenset[int]]) -> set[int]:
    found: set[int] = set()
    todo = [start]
    while todo:
        number = todo.pop()
        if number not in found:
            found.add(number)
            todo += needs[number]
    return found
