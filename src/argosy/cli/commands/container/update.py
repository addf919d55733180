"""``argosy update``."""

from __future__ import annotations

from argosy.base.errors import InvalidParameterError
from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import LIST, STRING
from argosy.cli.opts import OptionError, resources
from argosy.cli.opts.container import resource_limits
from argosy.cli.opts.container_flags import FLAGS
from argosy.cli.opts.networks import RATES
from argosy.cli.session import Session
from argosy.client import containers, networks

_NAMES = (
    *("blkio-weight", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus", "cpuset-cpus", "cpuset-mems"),
    *("memory", "memory-reservation", "memory-swap", "pids-limit"),
)


def run(session: Session, values: Values) -> int:
    if not any(values.given(name) for name in (*_NAMES, *RATES, "restart")):
        raise ExitError(1, "you must provide one or more flags when using this command")
    document = resource_limits(values)
    if values.given("restart"):
        try:
            document["RestartPolicy"] = resources.restart_policy(values.text("restart"))
        except OptionError as error:
            raise ExitError(1, str(error)) from None

    def update(name: str) -> None:
        if any(values.given(flag) for flag in RATES):
            _limit(session, values, name)
        for warning in session.call(containers.update(name, document)).get("Warnings") or [] if document else ():
            session.warn(warning)

    return each(session, values.arguments, update)


def _limit(session: Session, values: Values, name: str) -> None:
    """Change the bandwidth of a container in the networks that were named, else in all of its own."""
    rates = {way: values.text(flag) or "none" if values.given(flag) else None for flag, way in (("net-down", "down"), ("net-up", "up"))}
    joined = (session.call(containers.inspect(name)).get("NetworkSettings") or {}).get("Networks") or {}
    if not joined:
        raise InvalidParameterError(f"container {name} has no network of its own whose bandwidth could be limited")
    for network in values.texts("network") or joined:
        session.call(networks.limit(network, name, down=rates["down"], up=rates["up"]))


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(
        *(flag for flag in FLAGS if flag.name in _NAMES),
        Flag("net-down", "", STRING, "Limit what the container receives in its networks (e.g. 8mbit; none lifts it)"),
        Flag("net-up", "", STRING, "Limit what the container sends in its networks (e.g. 2mbit; none lifts it)"),
        Flag("network", "", LIST, "The networks that --net-down and --net-up are for (default all)", complete="networks"),
        Flag("restart", "", STRING, "Restart policy to apply when a container exits"),
    ),
    arity=SOME,
    complete="containers+",
    examples=(
        ("argosy update -m 1g --memory-swap 1g db", "while it runs"),
        ("argosy update --net-down 8mbit --net-up 2mbit web", "its bandwidth; none lifts a limit"),
    ),
)
