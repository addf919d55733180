"""``argosy build``."""

from __future__ import annotations

import json
import os
import sys

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import BYTES, INT, LIST, STRING, STRINGS, SWAP
from argosy.cli.images import cachefrom
from argosy.cli.images.context import ContextError, Source, packed
from argosy.cli.images.credentials import Logins
from argosy.cli.images.named import Named
from argosy.cli.opts import networks, pairs, resources
from argosy.cli.output.progress import Bytes, Transfers
from argosy.cli.output.steps import Steps
from argosy.cli.session import Session
from argosy.client import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def run(session: Session, values: Values) -> int:
    try:
        named = Named(session, values.texts("build-context"))
        source = packed(values.arguments[0], values.text("file"), named)
    except ContextError as error:
        raise ExitError(1, f"unable to prepare context: {error}") from None
    if values.text("iidfile"):
        _prepare(values.text("iidfile"))
    login = Logins(session).all()
    registries = system.registry_auth(login) if login else ""
    quiet = values.switch("quiet")
    how = values.text("progress") or "auto"
    if how not in ("auto", "plain", "tty", "classic", "quiet"):
        raise ExitError(125, f"invalid --progress {how}: use auto, plain, tty, classic or quiet")
    quiet = quiet or how == "quiet"
    call = system.build(
        _pieces(source, quiet),
        options(values, session, source) | {"contexts": json.dumps(named.sources) if named.sources else None},
        repeated=_repeated(values, source),
        registries=registries,
        secrets=_secrets(values, session),
        detailed=not quiet and how != "classic",
    )
    identifier = ""
    live = how == "tty" or (how == "auto" and sys.stdout.isatty() and session.environ.get("TERM") != "dumb")
    steps = Steps(sys.stdout, live=live, width=session.width or 80)
    with Transfers(sys.stdout, session.environ, quiet=quiet) as transfers:
        told = False
        try:
            for event in session.stream(call):
                identifier = str((event.get("aux") or {}).get("ID") or identifier)
                if quiet and str(event.get("stream", "")).startswith("sha256:"):
                    # With q=1 the engine says the id alone, and in this way.
                    identifier = str(event["stream"]).strip()
                if "vertex" in event:
                    told = True
                    steps.show(event["vertex"])
                elif not (told and "stream" in event) or str(event["stream"]).startswith(
                    ("Successfully built ", "Successfully tagged ", "[Warning]")
                ):
                    transfers.show(event)
        finally:
            steps.close()
    if quiet and identifier:
        session.say(identifier)
    if values.text("iidfile") and identifier:
        with open(values.text("iidfile"), "w") as file:
            file.write(identifier)
    return 0


def _prepare(path: str) -> None:
    """Remove what an earlier build wrote, as docker does; raises ExitError for a place where nothing can be written."""
    try:
        if os.path.lexists(path):
            os.remove(path)
        if not os.access(os.path.dirname(path) or ".", os.W_OK):
            raise FileNotFoundError(2, "No such file or directory")
    except OSError as error:
        raise ExitError(1, f"failed to write the image ID to {path}: {(error.strerror or '').lower()}") from None


def _pieces(source: Source, quiet: bool) -> Iterator[bytes] | None:
    if source.pieces is None:
        return None
    return Bytes("Sending build context", 0, sys.stderr, quiet=quiet).passing(source.pieces)


def _secrets(values: Values, session: Session) -> dict[str, bytes]:
    """Return ``--secret id=x,src=FILE`` or ``id=x,env=NAME``: id → value. Raises ExitError."""
    found = {}
    for text in values.texts("secret"):
        fields = dict(part.partition("=")[::2] for part in text.split(","))
        name = fields.get("id") or fields.get("env", "")
        path = fields.get("src") or fields.get("source") or ""
        if not name:
            raise ExitError(125, f"invalid --secret {text}: it needs an id")
        if path:
            try:
                with open(path, "rb") as file:
                    found[name] = file.read()
            except OSError as error:
                raise ExitError(1, f"failed to stat {path}: {(error.strerror or '').lower()}") from None
        elif (value := session.environ.get(fields.get("env") or name)) is not None:
            found[name] = value.encode("utf-8", "surrogateescape")
        else:
            raise ExitError(1, f"secret {name}: neither a file (src=) nor a variable of that name is there")
    return found


def options(values: Values, session: Session, source: Source) -> dict[str, Any]:
    """Return the parameters of ``POST /build``."""
    args = pairs.mapping(pairs.proxies(session.config, session.endpoint.text, values.texts("build-arg")))
    # A build argument without a value takes ours, and is left to the Dockerfile's default where we have none.
    found: dict[str, str | None] = dict(args)
    for text in values.texts("build-arg"):
        name, equals, value = text.partition("=")
        found[name] = value if equals else session.environ.get(name)
    if cachefrom.inline(values.texts("cache-to")):
        found["BUILDKIT_INLINE_CACHE"] = "1"
    return {
        "dockerfile": source.dockerfile,
        "remote": source.remote or None,
        "q": values.switch("quiet"),
        "nocache": values.switch("no-cache"),
        "rm": values.switch("rm") or "0",
        "forcerm": values.switch("force-rm"),
        "pull": values.switch("pull"),
        "squash": values.switch("squash"),
        "memory": values.number("memory") or None,
        "memswap": values.number("memory-swap") or None,
        "cpushares": values.number("cpu-shares") or None,
        "cpuperiod": values.number("cpu-period") or None,
        "cpuquota": values.number("cpu-quota") or None,
        "cpusetcpus": values.text("cpuset-cpus") or None,
        "cpusetmems": values.text("cpuset-mems") or None,
        "cgroupparent": values.text("cgroup-parent") or None,
        "shmsize": values.number("shm-size") or None,
        "networkmode": values.text("network") or None,
        "target": values.text("target") or None,
        "platform": values.text("platform") or None,
        "buildargs": json.dumps(found) if found else None,
        "labels": json.dumps(pairs.mapping(values.texts("label"))) if values.texts("label") else None,
        "cachefrom": json.dumps(caches) if (caches := cachefrom.sources(session, values.texts("cache-from"))) else None,
        "ulimits": json.dumps(values.items("ulimit")) if values.given("ulimit") else None,
        "securityopt": json.dumps(values.texts("security-opt")) if values.texts("security-opt") else None,
        "version": "1",
    }


def _repeated(values: Values, _source: Source) -> list[tuple[str, str]]:
    hosts = ",".join(values.texts("add-host"))
    fresh = [("nocachefilter", name) for name in values.texts("no-cache-filter")]
    return [("t", tag) for tag in values.texts("tag")] + ([("extrahosts", hosts)] if hosts else []) + fresh


COMMAND = Command(
    run,
    "PATH | URL | -",
    flags=(
        Flag("add-host", "", LIST.checked(networks.extra_host), 'Add a custom host-to-IP mapping ("host:ip")'),
        Flag("build-arg", "", LIST.checked(pairs.environment_variable), "Set build-time variables"),
        Flag("build-context", "", LIST, "Additional build contexts (e.g., name=path)"),
        Flag("cache-from", "", LIST, "Images to consider as cache sources (NAME, type=registry,ref=NAME, type=local,src=DIRECTORY)"),
        Flag("cache-to", "", LIST, "Cache export destinations (type=inline: in the image)"),
        Flag("cgroup-parent", "", STRING, 'Set the parent cgroup for the "RUN" instructions during build'),
        Flag("compress", "", help="Compress the build context using gzip", hidden=True),
        Flag("cpu-period", "", INT, "Limit the CPU CFS (Completely Fair Scheduler) period"),
        Flag("cpu-quota", "", INT, "Limit the CPU CFS (Completely Fair Scheduler) quota"),
        Flag("cpu-shares", "c", INT, "CPU shares (relative weight)"),
        Flag("cpuset-cpus", "", STRING, "CPUs in which to allow execution (0-3, 0,1)"),
        Flag("cpuset-mems", "", STRING, "MEMs in which to allow execution (0-3, 0,1)"),
        Flag("disable-content-trust", "", help="Skip image verification", default=True, shown="true"),
        Flag("file", "f", STRING, 'Name of the Dockerfile (Default is "PATH/Dockerfile")', complete="files"),
        Flag("force-rm", "", help="Always remove intermediate containers"),
        Flag("iidfile", "", STRING, "Write the image ID to the file", complete="files"),
        Flag("isolation", "", STRING, "Container isolation technology", hidden=True),
        Flag("label", "", LIST.checked(pairs.label), "Set metadata for an image"),
        Flag("memory", "m", BYTES, "Memory limit"),
        Flag("memory-swap", "", SWAP, "Swap limit equal to memory plus swap: -1 to enable unlimited swap"),
        Flag("network", "", STRING, "Set the networking mode for the RUN instructions during build", default="default", shown='"default"'),
        Flag("no-cache", "", help="Do not use cache when building the image"),
        Flag("no-cache-filter", "", STRINGS, "Do not cache specified stages"),
        Flag("platform", "", STRING, "Set platform if server is multi-platform capable"),
        Flag("progress", "", STRING, "How steps are shown: auto, plain, tty, classic, quiet", default="auto", shown='"auto"'),
        Flag("pull", "", help="Always attempt to pull a newer version of the image"),
        Flag("quiet", "q", help="Suppress the build output and print image ID on success"),
        Flag("rm", "", help="Remove intermediate containers after a successful build", default=True, shown="true"),
        Flag("secret", "", LIST, "Secret for RUN --mount=type=secret (id=mysecret,src=/local/secret)"),
        Flag("security-opt", "", STRINGS, "Security options"),
        Flag("shm-size", "", BYTES, 'Size of "/dev/shm"'),
        Flag("squash", "", help="Squash newly built layers into a single new layer"),
        Flag("tag", "t", LIST, 'Name and optionally a tag in the "name:tag" format'),
        Flag("target", "", STRING, "Set the target build stage to build."),
        Flag("ulimit", "", LIST.checked(resources.ulimit, "ulimit"), "Ulimit options"),
    ),
    arity=exactly(1),
    complete="files",
    examples=(
        ("argosy build -t app:1 .", "this directory's Dockerfile"),
        ("argosy build -t app - < Dockerfile", "without a context"),
    ),
)
