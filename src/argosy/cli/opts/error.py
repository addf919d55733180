"""The error of option values that are checked after the flags have been read."""

from __future__ import annotations

from argosy.base.errors import ArgosyError


class OptionError(ArgosyError):
    """Options that cannot be used, alone or together."""
