"""One entry of the build cache, as ``state.db`` keeps it."""

import msgspec

CACHE = "build-cache"
REGULAR, MOUNT, SOURCE, LOCAL, STATE = "regular", "exec.cachemount", "source.http", "source.local", "state"


class CacheRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Under its key. Kinds:

    ``regular``: a step that changes files; ``exec.cachemount``: a directory of ``RUN --mount=type=cache``; ``source.http``: a file that
    ``ADD`` fetched; ``source.local``: a client's directory as it was last sent; ``state``: when a configuration was first reached, so that
    the same build gives the same image, and which layer a step makes wherever it lies (never shown).
    """

    key: str
    kind: str
    parent: str = ""
    """Key of the step below."""
    chain: str = ""
    """Chain ID of the files after it; empty for none."""
    diff_id: str = ""
    """Of the layer that it brought; empty when it changed nothing."""
    created: int = 0
    last_used: int = 0
    uses: int = 0
    size: int = 0
    description: str = ""
    place: str = ""
    """Of a mount or a source: the directory's name."""

    @property
    def id(self) -> str:
        """What users see and name."""
        return self.key[:25]
