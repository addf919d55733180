"""A driver whose log cannot be read back here, with a copy in files beside it for ``docker logs``."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.runtime.logs.local import Local
    from argosy.runtime.logs.open import Writer


class Copied:
    """`open.Writer`."""

    def __init__(self, writer: "Writer", copy: "Local") -> None:
        self._writer, self._copy = writer, copy

    @property
    def lost(self) -> int:
        return int(getattr(self._writer, "lost", 0)) + self._copy.file.lost

    def write(self, stream: int, data: bytes) -> None:
        self._copy.write(stream, data)
        self._writer.write(stream, data)

    def unrecorded(self, stream: int) -> bytes:
        return self._copy.unrecorded(stream)

    def end(self, stream: int) -> None:
        self._copy.end(stream)
        self._writer.end(stream)

    def close(self) -> None:
        self._writer.close()
        self._copy.close()
