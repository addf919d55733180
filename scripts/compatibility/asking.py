"""Ask Docker's own programs which commands and flags they have: the names alone, read from ``--help``."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

FLAG = re.compile(r"^(?:  -(?P<short>\w), | {6})--(?P<name>[\w-]+)")
ENTRY = re.compile(r"^  (?P<name>[a-z][\w-]*)\*? {2,}\S")
HEADING = re.compile(r"^(?P<name>\S.*):\s*$")

Flags = dict[str, str]
"""Flag name → its letter, or ""."""
Commands = dict[str, Flags]
"""``container ls`` → its flags; ``""`` is the program itself."""


def flags_of(text: str) -> Flags:
    """Return the flags of a help text; ``--help`` is no flag of note."""
    found = (FLAG.match(line) for line in text.splitlines())
    return {match["name"]: match["short"] or "" for match in found if match and match["name"] != "help"}


def verbs_of(text: str) -> list[str]:
    """Return the commands that a help text lists under a heading that ends in ``Commands``."""
    verbs, listed = [], False
    for line in text.splitlines():
        heading = HEADING.match(line)
        if heading:
            listed = heading["name"].endswith("Commands")
        entry = ENTRY.match(line)
        if listed and entry and entry["name"] != "help":
            verbs.append(entry["name"])
    return verbs


def commands_of(program: list[str], words: tuple[str, ...] = ()) -> Commands:
    """Return every command below ``words`` of a program; a noun that has no flags and only gathers verbs has no entry. Runs the program."""
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "COLUMNS": "200"}
    done = subprocess.run([*program, *words, "--help"], capture_output=True, text=True, env=environ, stdin=subprocess.DEVNULL, check=True)
    verbs, flags = verbs_of(done.stdout), flags_of(done.stdout)
    found: Commands = {} if verbs and words and not flags else {" ".join(words): flags}
    for verb in verbs:
        found |= commands_of(program, (*words, verb))
    return found


def ask(docker: str, dockerd: str, plugins: dict[str, str]) -> dict[str, object]:
    """Return what `docker.json` holds. ``plugins`` is name → path of docker's CLI plugins. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as config:
        commands = commands_of([docker, "--config", config, "--host", "unix:///nonexistent"])
    for name, path in sorted(plugins.items()):
        found = commands_of([path])
        commands |= {f"{name} {words}".strip(): flags for words, flags in found.items()}
    return {
        "docker": version([docker, "--version"]),
        "dockerd": version([dockerd, "--version"]),
        "commands": dict(sorted(commands.items())),
        "daemon": commands_of([dockerd])[""],
    }


def version(command: list[str]) -> str:
    """Return the version number that a program prints."""
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    match = re.search(r"\d+\.\d+\.\d+", text)
    return match[0] if match else ""


def write(path: Path, asked: dict[str, object]) -> None:
    """Write `docker.json`, a command a line."""
    commands = asked["commands"]
    assert isinstance(commands, dict)
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(flags)}" for name, flags in commands.items())
    rest = {key: value for key, value in asked.items() if key != "commands"}
    head = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in rest.items())
    path.write_text(f'{{\n{head},\n  "commands": {{\n{lines}\n  }}\n}}\n')
