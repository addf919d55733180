"""Write docs/compatibility.md: what of Docker's API, commands, flags and settings is here, and why the rest is not.

Usage: scripts/compatibility [--check]             (in .venv: .venv/bin/python scripts/compatibility; needs no root and no daemon)
       scripts/compatibility --renew DOCKER DOCKERD [--plugin NAME=PATH]...

It fails, naming the row, when something of Docker's is not here and `reasons.py` does not say why, and when a reason is of no use any
more. ``--check`` writes nothing and fails when the page is stale. ``--renew`` asks Docker's programs for their names again and keeps
them in docker.json: DOCKER and DOCKERD are their paths, the plugins are `buildx` and `compose`.
"""

import argparse
import json
import sys
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent
HERE = FOLDER.parent.parent
sys.path[:0] = [str(FOLDER.parent), str(HERE / "src")]

from argosy.daemon.flags import FLAGS, State  # noqa: E402
from compatibility import asking, compare, ours, page, reasons  # noqa: E402

PAGE = HERE / "docs/compatibility.md"
NAMES = FOLDER / "docker.json"
DESCRIPTION = HERE / "tests/contract/engine-api-v1.55.yaml"


def make() -> tuple[str, list[str]]:
    """Return the page, and what is wrong with it: rows without a reason, reasons without a row."""
    docker = json.loads(NAMES.read_text())
    description = yaml.load(DESCRIPTION.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    wanted, routes = ours.described(description), ours.routes()
    found = ours.operations(routes, wanted)
    full, commands = ours.full_names(), ours.commands()
    rows = compare.command_rows(
        docker["commands"], commands, full=full, missing=reasons.COMMANDS, lacking=reasons.FLAGS, limited=reasons.LIMITED
    )
    lacking = {f"image build --{flag}": why for flag, why in reasons.BUILD.items()}
    build = compare.command_rows(
        {"image build": docker["commands"]["buildx build"]}, commands, full=full, missing={}, lacking=lacking, limited={}
    )
    # Where buildx is installed, these are buildx's, with flags that docker's own have not.
    also = {name: f"buildx {name.split()[-1]}" for name in ("build", "builder build", "image build", "builder prune")}
    both = docker["commands"] | {name: {**docker["commands"][name], **docker["commands"][of]} for name, of in also.items()}
    further = [(item, reasons.ROUTES.get(f"{item.method} {item.path}", "")) for item in ours.further_routes(routes, wanted)]
    added = compare.additions(both, commands, full=full, hidden=reasons.HIDDEN)
    own = [(name, flag, ours.words(name, flag)) for name, flags in added.items() for flag in flags or [""]]
    wrong = [
        *(f"{item.method} {item.path}: no route, and no reason is given" for item in found if item.status and not item.why),
        *(f"{item.method} {item.path}: not in the API description, and nothing says what it is" for item, what in further if not what),
        *compare.unexplained([*rows, *build]),
        *compare.idle(rows, reasons.COMMANDS, reasons.FLAGS, reasons.LIMITED),
        *compare.idle(build, {}, lacking, {}),
        *daemon_gaps(docker["daemon"]),
    ]
    text = "\n".join(
        (
            page.HEAD.format(api=description["info"]["version"], **{name: docker[name] for name in ("docker", "dockerd")}),
            page.routes((compare.explain(item, reasons.ANSWERS) for item in found), further),
            page.commands(rows, full, own, build[0]),
            page.daemon(docker["daemon"], FLAGS, reasons.DAEMON, reasons.FILE_KEYS),
            page.scope(reasons.OUT_OF_SCOPE),
        )
    )
    return text, wrong


def daemon_gaps(docker: dict[str, str]) -> list[str]:
    """Return dockerd's flags that argosyd has not, or has without effect and without a reason."""
    known = {flag.name: flag for flag in FLAGS}
    wrong = [f"dockerd --{name}: argosyd has it not" for name in docker if name not in known]
    idle = [flag for flag in FLAGS if flag.state is not State.WORKS]
    wrong += [
        f"dockerd --{flag.name}: without effect, and no reason is given"
        for flag in idle
        if not flag.why and flag.name not in reasons.DAEMON
    ]
    return wrong + [f"dockerd --{name}: a reason is given, and nothing needs it" for name in reasons.DAEMON if known[name].why]


def main() -> int:
    """Write, check or renew; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/compatibility", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is stale")
    parser.add_argument("--renew", nargs=2, metavar=("DOCKER", "DOCKERD"), help="ask Docker's programs for their names")
    parser.add_argument("--plugin", action="append", default=[], metavar="NAME=PATH", help="a plugin of docker's client, with --renew")
    options = parser.parse_args()
    if options.renew:
        asking.write(NAMES, asking.ask(*options.renew, plugins=dict(word.split("=", 1) for word in options.plugin)))
    text, wrong = make()
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    if options.check:
        if PAGE.exists() and PAGE.read_text() == text:
            return 0
        print(f"{PAGE.relative_to(HERE)} is stale: run .venv/bin/python scripts/compatibility", file=sys.stderr)
        return 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
