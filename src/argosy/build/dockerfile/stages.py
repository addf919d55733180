"""Which stage a name means, and what depends on what."""

from argosy.build.dockerfile import ast
from argosy.build.dockerfile.errors import DockerfileError, suggestion
from argosy.build.dockerfile.words import quoted

_Needs = dict[int, list[tuple[int, ast.Location, str]]]


Names = dict[str, ast.Stage]
"""Lower case; of several stages of a name the last."""


def by_name(stages: tuple[ast.Stage, ...], name: str) -> ast.Stage | None:
    """Return the last stage of that name, whatever the case."""
    return next((stage for stage in reversed(stages) if stage.name and stage.name == name.lower()), None)


def base_of(stages: tuple[ast.Stage, ...], stage: ast.Stage, base: str) -> ast.Stage | None:
    """Return the stage that ``FROM base`` builds upon: the nearest earlier one of that name; None means an image."""
    return by_name(stages[: stage.number], base)


def names_of(stages: tuple[ast.Stage, ...]) -> Names:
    return {stage.name: stage for stage in stages if stage.name}


def source_of(stages: tuple[ast.Stage, ...], name: str, names: Names | None = None) -> ast.Stage | None:
    """Return the stage of ``COPY --from``: by name or by number; None means an image or a named context.

    Raises IndexError where a number has no stage.
    """
    if not name.lstrip("+-").isdecimal():
        return (names_of(stages) if names is None else names).get(name.lower())
    if not 0 <= int(name) < len(stages):
        raise IndexError(name)
    return stages[int(name)]


def mount_of(stages: tuple[ast.Stage, ...], name: str, names: Names | None = None) -> ast.Stage | None:
    """Return the stage of ``RUN --mount=from=``; a number means nothing here."""
    return (names_of(stages) if names is None else names).get(name.lower())


def target(stages: tuple[ast.Stage, ...], name: str) -> ast.Stage:
    """Return the stage that ``--target`` names, by name or number; the last for the empty name. Raises ValueError in Docker's words."""
    if not name:
        return stages[-1]
    found = by_name(stages, name)
    if found is None and name.isdecimal() and int(name) < len(stages):
        found = stages[int(name)]
    if found is None:
        names = tuple(stage.name for stage in stages if stage.name)
        raise ValueError(f"target stage {quoted(name)} could not be found" + (suggestion(name, names) if names else ""))
    return found


def sources(stages: tuple[ast.Stage, ...], stage: ast.Stage) -> tuple[tuple[ast.Stage, ast.Instruction], ...]:
    """Return the stages that this one copies from or mounts, each with the instruction that does. Raises DockerfileError."""
    return _sources(stages, stage, names_of(stages))


def _sources(stages: tuple[ast.Stage, ...], stage: ast.Stage, names: Names) -> tuple[tuple[ast.Stage, ast.Instruction], ...]:
    found: list[tuple[ast.Stage, ast.Instruction]] = []
    for one in stage.instructions:
        if isinstance(one, ast.Copy) and one.from_:
            others = [_copied(stages, one, names)]
        elif isinstance(one, ast.Run):
            others = [mount_of(stages, mount.from_, names) for mount in one.mounts if mount.from_]
        else:
            continue
        found += [(other, one) for other in others if other is not None]
    return tuple(found)


def _copied(stages: tuple[ast.Stage, ...], one: ast.Copy, names: Names) -> ast.Stage | None:
    if "$" in one.from_.rstrip("$"):
        raise DockerfileError(
            "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
            one.location,
            one.original,
        )
    try:
        return source_of(stages, one.from_, names)
    except IndexError:
        raise DockerfileError(f"invalid stage index {one.from_}", one.location, one.original) from None


def check(stages: tuple[ast.Stage, ...]) -> None:
    """Raise DockerfileError if a stage needs itself, by whatever way."""
    names = names_of(stages)
    earlier: dict[str, int] = {}
    needs: _Needs = {}
    for stage in stages:
        needs[stage.number] = [(other.number, one.location, one.original) for other, one in _sources(stages, stage, names)]
        if stage.base.lower() in earlier:
            needs[stage.number].append((earlier[stage.base.lower()], stage.location, stage.original))
        if stage.name:
            earlier[stage.name] = stage.number
    done: set[int] = set()
    for stage in stages:
        _walk(stages, needs, stage.number, done)


def _walk(stages: tuple[ast.Stage, ...], needs: _Needs, start: int, done: set[int]) -> None:
    """Depth first, without recursion: a file may have thousands of stages in a row."""
    path = [(start, iter(needs[start]))]
    open_ = {start}
    while path:
        number, rest = path[-1]
        step = next(rest, None)
        if step is None:
            path.pop()
            open_.discard(number)
            done.add(number)
        elif step[0] in open_:
            name = stages[step[0]].name or f"stage-{step[0]}"
            raise DockerfileError(f"circular dependency detected on stage: {name}", step[1], step[2])
        elif step[0] not in done:
            path.append((step[0], iter(needs[step[0]])))
            open_.add(step[0])


def check_order(stages: tuple[ast.Stage, ...], stage: ast.Stage) -> None:
    """Raise DockerfileError if this stage, which is going to be built, copies from a later one."""
    for other, one in sources(stages, stage):
        if other.number > stage.number and isinstance(one, ast.Copy):
            name = stage.name or f"stage-{stage.number}"
            message = f"cannot copy from stage {quoted(one.from_)}, it needs to be defined before current stage {quoted(name)}"
            raise DockerfileError(message, one.location, one.original)
