"""Command line flags after pflag's grammar (github.com/spf13/pflag), which docker's users know."""

from argosy.cli.flags.flag import Flag
from argosy.cli.flags.parse import Values, parse

__all__ = ["Flag", "Values", "parse"]
