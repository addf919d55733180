"""RUN: which program with which words, what it sees, and what its key is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from argosy.base import ids
from argosy.base.errors import InvalidParameterError
from argosy.build import history, keys
from argosy.build.dockerfile import ast
from argosy.build.dockerfile.args import PROXIES
from argosy.build.dockerfile.heredoc import script, shell_text
from argosy.build.instructions import copy as copying
from argosy.build.instructions.mounts import Given, Mounts
from argosy.build.instructions.operation import Operation
from argosy.build.ports import Bind, Heard, Limits, Runner, RunStep
from argosy.build.solve.state import State
from argosy.storage.drafts import Drafts, Scratch
from argosy.storage.model import RootMount

DEFAULT_SHELL = ("/bin/sh", "-c")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PIPES = "/dev/pipes"


class StepFailed(InvalidParameterError):
    """A program ended with another code than 0."""

    def __init__(self, message: str, code: int, command: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.command = command
        """As it was executed, words joined by blanks."""

    @property
    def process(self) -> str:
        """Return the same in BuildKit's words; the message is in the classic builder's."""
        return f'process "{self.command}" did not complete successfully: exit code: {self.code}'


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all RUNs of a build have in common."""

    network: str
    extra_hosts: tuple[str, ...]
    limits: Limits
    epoch: int
    proxies: Mapping[str, str]


def with_shell(command: ast.Command, words: tuple[str, ...], shell: Sequence[str] | None) -> tuple[str, ...]:
    return (*(shell or DEFAULT_SHELL), *words) if command.shell else words


def environment(state: State, proxies: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return (the program's variables, the build arguments among them)."""
    own = dict(entry.partition("=")[::2] for entry in state.config.env or ())
    args = tuple(sorted(state.args.items()))
    found = {"PATH": _PATH, **{name: value for name, value in proxies.items() if name not in own}, **own, **dict(args)}
    return tuple(f"{name}={value}" for name, value in found.items()), tuple(pair for pair in args if pair[0] not in PROXIES)


def run(
    instruction: ast.Run, state: State, around: Surroundings, mounts: Mounts, *, pipes: str, runner: Runner, drafts: Drafts
) -> Operation:
    """Return the step. ``pipes``: a host directory with the document of a ``#!`` script.

    Raises InvalidParameterError for what cannot be (``--security=insecure``, an unknown network).
    """
    if instruction.security not in ("", "sandbox"):
        raise InvalidParameterError(f"RUN --security={instruction.security} is not allowed: steps run confined (--security=sandbox)")
    document = script(instruction.command)
    words = instruction.command.words
    if document is not None:
        words = (f"{_PIPES}/{document.name}",)
    elif instruction.command.heredocs:
        words = (shell_text(instruction.command),)
    args = with_shell(instruction.command, words, state.config.shell)
    env, build_args = environment(state, around.proxies)
    network = instruction.network if instruction.network not in ("", "default") else around.network
    own = (Bind(_PIPES, pipes, readonly=True),) if document is not None else ()
    cwd = state.config.working_dir or "/"

    def step(root: RootMount, given: Given) -> RunStep:
        return RunStep(
            id=ids.new_id(),
            root=root,
            args=args,
            env=(*env, *given.env),
            user=state.config.user,
            cwd=cwd,
            network=network,
            mounts=(*given.mounts, *own),
            extra_hosts=around.extra_hosts,
            limits=around.limits,
        )

    async def apply(scratch: Scratch, heard: Heard) -> None:
        if document is not None:
            copying.write_documents([document], pipes, executable=True)
        async with mounts.held() as given:
            code = await runner.run(step(await drafts.running(scratch), given), heard)
        if code:
            command = " ".join(args)
            raise StepFailed(f"The command '{command}' returned a non-zero code: {code}", code, command)

    seen = tuple(entry for entry in env if entry.partition("=")[0] not in around.proxies)
    content = document.content if document is not None else ""
    return Operation(
        key=keys.key(
            "run", state.chain, args, seen, state.config.user, cwd, network, around.extra_hosts, mounts.key, content, around.epoch
        ),
        created_by=history.run(args, build_args),
        description="mount / from exec " + " ".join(args),
        apply=apply,
        directories=mounts.directories,
        files=mounts.files,
        told=document is None and not instruction.mounts,
        runs=True,
    )
