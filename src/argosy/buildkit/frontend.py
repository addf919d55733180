"""What BuildKit's ``dockerfile.v0`` frontend is told, as a request to our builder. Pure.

Names and meanings: github.com/moby/buildkit ``frontend/dockerui/config.go`` (``parseOpts``) and ``frontend/attestations``.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError
from argosy.build.ports import Limits
from argosy.build.request import BuildRequest
from argosy.oci.reference import Reference, parse

FRONTENDS = ("dockerfile.v0", "gateway.v0")
SENT = "local"
"""Directory of what the client sends under the names of contexts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A build as the frontend was asked for it: what is not in the request has to be got from the client first."""

    request: BuildRequest
    context: str = "context"
    """The client's name of the directory, when the context is no URL."""
    dockerfile: str = "dockerfile"
    """The client's name of the directory with the Dockerfile."""
    filename: str = "Dockerfile"
    directories: Mapping[str, str] = field(default_factory=dict)
    """Named context → the client's name of its directory."""
    warnings: tuple[str, ...] = ()


def asked(attrs: Mapping[str, str], *, names: Iterable[str], imports: Iterable[tuple[str, Mapping[str, str]]] = ()) -> Asked:
    """Return the build. ``names``: of the image; ``imports``: caches, type and attributes.

    Raises InvalidParameterError on a value that cannot be, NotImplementedInArgosyError for what is not served.
    """
    platform = attrs.get("platform", "")
    if "," in platform:
        raise NotImplementedInArgosyError(f"an image for several platforms ({platform}) is not made in one build: build each by itself")
    if subrequest := attrs.get("requestid"):
        raise NotImplementedInArgosyError(f"the frontend's request {subrequest} is not served")
    everything, stages = _no_cache(attrs.get("no-cache"))
    contexts, directories = _contexts(_prefixed(attrs, "context:"))
    request = BuildRequest(
        tags=tuple(dict.fromkeys(_tag(name) for name in names)),
        dockerfile=attrs.get("filename", ""),
        remote=attrs.get("context", ""),
        contexts=contexts,
        build_args=_prefixed(attrs, "build-arg:"),
        labels=_prefixed(attrs, "label:"),
        target=attrs.get("target", ""),
        platform=platform,
        no_cache=everything,
        no_cache_stages=stages,
        pull=attrs.get("image-resolve-mode") == "pull",
        cache_from=tuple(filter(None, (_cache(kind, values) for kind, values in imports))),
        network={"none": "none", "host": "host"}.get(attrs.get("force-network-mode", ""), ""),
        extra_hosts=tuple(entry.replace("=", ":", 1) for entry in _list(attrs.get("add-hosts"))),
        limits=Limits(
            shm_size=int(attrs.get("shm-size") or 0),
            ulimits=tuple(_ulimit(text) for text in _list(attrs.get("ulimit"))),
            cgroup_parent=attrs.get("cgroup-parent", ""),
        ),
        detailed=True,
    )
    return Asked(
        request,
        context=attrs.get("contextkey", "context"),
        dockerfile=attrs.get("dockerfilekey", "dockerfile"),
        filename=attrs.get("filename") or "Dockerfile",
        directories=directories,
        warnings=_unmade(attrs),
    )


def _prefixed(attrs: Mapping[str, str], prefix: str) -> dict[str, str]:
    # In order: clients send maps, whose order is any, and the same words have to give the same image.
    return {key.removeprefix(prefix): value for key, value in sorted(attrs.items()) if key.startswith(prefix)}


def _list(text: str | None) -> list[str]:
    """One line of CSV, as clients write lists."""
    return [word for line in csv.reader([text or ""]) for word in line if word]


def _no_cache(value: str | None) -> tuple[bool, frozenset[str]]:
    """There without a value: all stages."""
    if value is None:
        return False, frozenset()
    return (True, frozenset()) if not value else (False, frozenset(name.lower() for name in value.split(",")))


def _tag(name: str) -> Reference:
    reference = parse(name)
    if reference.digest:
        raise InvalidParameterError(f"build tag cannot contain a digest: {name}")
    return reference.tagged()


def _contexts(asked: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return (name → source that the builder knows, name → the client's directory)."""
    sources, directories = {}, {}
    for name, source in asked.items():
        if source.startswith("local:"):
            directories[name] = source.removeprefix("local:")
            sources[name] = f"sent://{SENT}/{len(directories)}"
        elif source.startswith(("oci-layout:", "input:", "target:")):
            raise NotImplementedInArgosyError(f"build context {name}: {source.partition(':')[0]} is not served by way of a session")
        else:
            sources[name] = source
    return sources, directories


def _cache(kind: str, attrs: Mapping[str, str]) -> str:
    """Return one of ``--cache-from`` in the builder's words; empty for what only another machine's cache could hold."""
    if kind == "registry":
        return f"type=registry,ref={attrs.get('ref', '')}"
    raise NotImplementedInArgosyError(f"cache source of type {kind}: use type=registry,ref=NAME")


def _ulimit(text: str) -> tuple[str, int, int]:
    name, _, limits = text.partition("=")
    soft, _, hard = limits.partition(":")
    try:
        return name, int(soft), int(hard or soft)
    except ValueError:
        raise InvalidParameterError(f"invalid ulimit argument: {text}") from None


def _unmade(attrs: Mapping[str, str]) -> tuple[str, ...]:
    wanted = [kind for kind in ("sbom", "provenance") if "disabled=true" not in attrs.get(f"attest:{kind}", "disabled=true")]
    return tuple(f"the {kind} attestation is not made" for kind in wanted)
