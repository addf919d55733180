"""``--change`` of commit and import: a few instructions applied to a configuration."""

from collections.abc import Sequence

from argosy.build.dockerfile import ast
from argosy.build.dockerfile.configure import apply_to_config, environment
from argosy.build.dockerfile.errors import DockerfileError
from argosy.build.dockerfile.expansion import expanded
from argosy.build.dockerfile.instructions import From, instruction
from argosy.build.dockerfile.lines import read
from argosy.oci.config import Config

_REFUSED = (From, ast.Add, ast.Arg, ast.Copy, ast.Maintainer, ast.Run, ast.Shell)


def apply(config: Config, changes: Sequence[str]) -> Config:
    """Return the configuration with all changes made, in order. Raises DockerfileError (400) with Docker's words."""
    commanded = False
    for change in changes:
        source = read(change.encode(), "change")
        for line in source.lines:
            one = instruction(line, source.escape)
            if isinstance(one, _REFUSED):
                verb = line.text.split()[0].lower()
                raise DockerfileError(f"{verb} is not a valid change command", line.location, line.text)
            one = expanded(one, environment(config), escape=source.escape)
            config = apply_to_config(config, one, keep_command=commanded)
            commanded |= isinstance(one, ast.Cmd)
    return config
