"""How the command line fails."""


class RuntimeFailed(Exception):
    """The command cannot be done; the text goes to stderr and the log, the exit code is 1 unless given."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
