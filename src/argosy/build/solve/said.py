"""What one stage says, in the classic builder's words and, for our own client, as steps with a state."""

import codecs

from argosy.base import ids
from argosy.base.clock import Clock
from argosy.build import keys
from argosy.build.dockerfile import ast
from argosy.build.solve.state import State
from argosy.build.transcript import Message, Transcript


class Said:
    """``steps``: of the build; ``first``: the number of this stage's FROM among them; ``own``: of this stage."""

    def __init__(
        self, transcript: Transcript, stage: int, *, name: str, steps: int, first: int, own: int, remove: bool, clock: Clock
    ) -> None:
        self._transcript = transcript
        self._stage = stage
        self._name = name
        self._steps = steps
        self._first = first
        self._own = own
        self._remove = remove
        self._clock = clock
        self._vertex = ""
        self._cached = False
        self._begun = 0.0
        self._decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in (1, 2)}

    def first(self, number: int, original: str) -> None:
        """FROM begins."""
        self._begin(number, original)

    def step(self, number: int, instruction: ast.Instruction) -> None:
        self._begin(number, instruction.original)

    def _begin(self, number: int, original: str) -> None:
        self._vertex = f"{self._stage}.{number}"
        self._cached = False
        self._begun = self._clock.monotonic()
        # Before the classic words: by its first message our own client knows that it need not show those.
        self._tell("running", name=original, number=number, of=self._steps, step=number - self._first + 1, steps=self._own)
        self._text(f"Step {number}/{self._steps} : {original}\n")

    def triggers(self, count: int) -> None:
        self._text(f"# Executing {count} build trigger{'s' if count > 1 else ''}\n")

    def trigger(self, instruction: ast.Instruction) -> None:
        self._cached = False

    def cached(self) -> None:
        self._cached = True
        self._text(" ---> Using cache\n")

    def running(self, shown: str) -> None:
        self._text(f" ---> Running in {shown}\n")

    def removed(self, shown: str) -> None:
        if self._remove:
            self._text(f" ---> Removed intermediate container {shown}\n")

    def output(self, stream: int, data: bytes) -> None:
        """A program's output as it comes; the classic builder shows standard error in red."""
        text = self._decoders[stream].decode(data)
        if text:
            self._text(f"\x1b[91m{text}\x1b[0m" if stream == 2 else text)
            self._tell("output", output=text, stream=stream)

    def message(self, message: Message) -> None:
        """Progress of something else (a pull)."""
        self._transcript.message(self._stage, message)

    def reached(self, state: State) -> None:
        """The step is done."""
        self._text(f" ---> {ids.short(shown_id(state))}\n")
        self._tell("cached" if self._cached else "done", seconds=self._clock.monotonic() - self._begun)

    def failed(self, instruction: ast.Instruction, error: Exception) -> None:
        where = instruction.location
        self._transcript.failed(self._stage)
        self._text(f"{where.file}:{where.first}: {instruction.original}\n")
        seconds, process = self._clock.monotonic() - self._begun, getattr(error, "process", "")
        self._tell("failed", seconds=seconds, error=str(error), process=process, line=where.first, file=where.file)

    def finished(self) -> None:
        self._transcript.finished(self._stage)

    def _text(self, text: str) -> None:
        self._transcript.text(self._stage, text)

    def _tell(self, state: str, **fields: object) -> None:
        self._transcript.vertex(id=self._vertex, stage=self._name or str(self._stage), state=state, **fields)


def shown_id(state: State) -> str:
    """Return an id for a state between two instructions; no image has it."""
    if state.base is not None and state.history == (state.base.config.history or ()):
        return state.base.id
    return keys.state(state.chain, state.config, state.words)
