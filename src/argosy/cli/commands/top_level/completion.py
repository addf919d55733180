"""``argosy completion``."""

from __future__ import annotations

import sys

from argosy.cli.command import Command, exactly
from argosy.cli.completion.scripts import SCRIPTS
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.session import Session


def run(_session: Session, values: Values) -> None:
    shell = values.arguments[0]
    if shell not in SCRIPTS:
        raise ExitError(1, f"argosy: no completion for '{shell}': choose one of {', '.join(SCRIPTS)}")
    sys.stdout.write(SCRIPTS[shell])


COMMAND = Command(
    run,
    "bash|zsh|fish",
    arity=exactly(1),
    about="Print the completion script for your shell.\nNames of containers, images, networks and volumes are completed from the daemon.",
    examples=(
        ("source <(argosy completion bash)", "in ~/.bashrc"),
        ("source <(argosy completion zsh)", "in ~/.zshrc"),
        ("argosy completion fish | source", "in ~/.config/fish/config.fish"),
    ),
)
