"""``argosy builder build``: the same as ``argosy build``."""

from argosy.cli.commands.image.build import COMMAND

__all__ = ["COMMAND"]
