"""The grammars of option values, pure: text → what the API wants, refusals in docker's words.

Parsers for flags raise ValueError, which becomes ``invalid argument "…" for "--flag" flag: …``; what docker checks after the flags
raises OptionError.
"""

from argosy.cli.opts.error import OptionError

__all__ = ["OptionError"]
