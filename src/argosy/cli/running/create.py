"""Make a container, fetching its image first where that is wanted."""

from __future__ import annotations

import os
import sys

from argosy.cli.errors import ExitError
from argosy.cli.opts import OptionError
from argosy.cli.opts.container import document
from argosy.client import containers
from argosy.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.cli.flags import Values
    from argosy.cli.session import Session


def prepared(session: Session, values: Values, verb: str) -> dict[str, Any]:
    """Return the document that the flags describe; raises ExitError 125 in docker's form."""
    try:
        if values.text("pull") not in ("always", "missing", "never"):
            raise OptionError(f'invalid pull option: \'{values.text("pull")}\': must be one of "always", "missing" or "never"')
        wanted = document(values, session.environ, session.config, session.endpoint.text)
    except OptionError as error:
        raise with_help(str(error), verb) from None
    if values.switch("use-api-socket"):
        from argosy.cli.running import api_socket

        api_socket.add(wanted, session.endpoint.host)
    return wanted


def with_help(message: str, verb: str, code: int = 125) -> ExitError:
    """docker's form of what goes wrong in run and create."""
    return ExitError(code, f"argosy: {message}\n\nRun 'argosy {verb} --help' for more information")


def create(session: Session, values: Values, wanted: Mapping[str, Any]) -> str:
    """Create and return the id; warnings are printed, ``--cidfile`` written. Raises ExitError and the client's errors."""
    image = str(wanted["Image"])
    _check_image(image)
    cid_file = values.text("cidfile")
    if cid_file and os.path.exists(cid_file):
        raise ExitError(1, f"container ID file found, make sure the other container isn't running or delete {cid_file}")
    if values.text("pull") == "always":
        _pull(session, values, image)
    call = containers.create(wanted, values.text("name"), values.text("platform"))
    try:
        answer = session.call(call)
    except ApiError as error:
        if error.status != 404 or values.text("pull") != "missing" or not str(error).lower().startswith("no such image"):
            raise
        if not values.switch("quiet"):
            session.warn(f"Unable to find image '{_with_tag(image)}' locally")
        _pull(session, values, image)
        answer = session.call(call)
    for warning in answer.get("Warnings") or []:
        session.warn(f"WARNING: {warning}")
    if (wanted.get("HostConfig") or {}).get("PortBindings") and sys.stderr.isatty():
        from argosy.cli.running.exposure import warn_once

        warn_once(session, wanted)
    identifier = str(answer["Id"])
    if values.switch("use-api-socket"):
        from argosy.cli.running import api_socket

        if api_socket.wants_logins(wanted):
            api_socket.give_logins(session, identifier)
    if cid_file:
        _write_cid(cid_file, identifier)
    return identifier


def _write_cid(path: str, identifier: str) -> None:
    """Created exclusively: two runs at once must not share a file."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise ExitError(1, f"failed to create the container ID file: open {path}: {(error.strerror or '').lower()}") from None
    with os.fdopen(fd, "w") as file:
        file.write(identifier)


def _check_image(image: str) -> None:
    """Refuse what no image can be called; plain names, nearly all, need no parser."""
    if image and set(image) <= set("abcdefghijklmnopqrstuvwxyz0123456789"):
        return
    from argosy.base.errors import InvalidParameterError
    from argosy.oci import reference

    if image.startswith("sha256:"):
        return
    try:
        reference.parse(image)
    except InvalidParameterError as error:
        raise ExitError(1, str(error)) from None


def _with_tag(image: str) -> str:
    name = image.rpartition("/")[2]
    return image if ":" in name or "@" in name else f"{image}:latest"


def _pull(session: Session, values: Values, image: str) -> None:
    from argosy.cli.images.pull import pull

    pull(session, image, platform=values.text("platform"), quiet=values.switch("quiet"), stream=sys.stderr)
