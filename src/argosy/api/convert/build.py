"""``POST /build``'s query and headers → `BuildRequest`."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from argosy.api.platforms import parse_platform
from argosy.api.request import Request
from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError
from argosy.build.context import named
from argosy.build.ports import Limits
from argosy.build.request import BuildRequest
from argosy.images import platforms
from argosy.images.distribution.credentials import from_config_header
from argosy.oci.reference import Reference, parse

DETAILED = "X-Argosy-Build-Progress"
"""Our own client sends it to get messages about steps beside the classic stream."""
NO_CACHE = "nocachefilter"
"""Parameter of our own: stages whose steps are done in any case. Others have it in BuildKit's sessions only."""
CONTEXTS = "contexts"
"""Parameter of our own: named contexts, a JSON object (`build.context.named`). Others have it in BuildKit's sessions only."""
SECRETS = "X-Argosy-Build-Secrets"
"""JSON, base64: id → base64 of the value. Clients of BuildKit hand secrets over in their sessions."""
_CLASSIC = "set DOCKER_BUILDKIT=0 (docker build), or use argosy build"


def build_request(request: Request) -> BuildRequest:
    """Return what is asked. Raises InvalidParameterError in Docker's words."""
    if request.text("version", "1") not in ("", "1"):
        raise NotImplementedInArgosyError(f"BuildKit is served by /grpc, not by /build?version=2: use docker buildx, or {_CLASSIC}")
    if request.has("outputs") and request.text("outputs") not in ("", "null", "[]"):
        raise NotImplementedInArgosyError(f"outputs other than the image are not served: {_CLASSIC}")
    return BuildRequest(
        tags=_tags(request),
        dockerfile=request.text("dockerfile"),
        remote=request.text("remote"),
        contexts=_contexts(request),
        build_args=_build_args(request),
        labels=_strings(request, "labels"),
        target=request.text("target"),
        platform=_platform(request),
        no_cache=request.flag("nocache"),
        no_cache_stages=frozenset(name.lower() for text in request.texts(NO_CACHE) for name in text.split(",") if name),
        pull=request.flag("pull"),
        cache_from=tuple(_json(request, "cachefrom", list) or ()),
        network="" if request.text("networkmode") == "default" else request.text("networkmode"),
        extra_hosts=tuple(value for text in request.texts("extrahosts") for value in text.split(",") if value),
        squash=request.flag("squash"),
        quiet=request.flag("q"),
        remove=request.flag("rm", default=True),
        force_remove=request.flag("forcerm"),
        limits=_limits(request),
        auth=from_config_header(request.headers.get("X-Registry-Config", "")),
        secrets=_secrets(request),
        build_id=request.text("buildid"),
        detailed=DETAILED in request.headers,
    )


def _platform(request: Request) -> str:
    """Refused here if it is none: once the build has begun its status is 200."""
    if text := parse_platform(request.text("platform")):
        platforms.parse(text)
    return text


def _tags(request: Request) -> tuple[Reference, ...]:
    found: dict[Reference, None] = {}
    for text in request.texts("t"):
        if not text:
            continue
        reference = parse(text)
        if reference.digest:
            raise InvalidParameterError("build tag cannot contain a digest")
        found[reference.tagged()] = None
    return tuple(found)


def _json(request: Request, name: str, kind: type[Any]) -> Any:
    text = request.text(name)
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidParameterError(f"error reading {name}: {error}") from error
    if value is not None and not isinstance(value, kind):
        raise InvalidParameterError(f"error reading {name}: it must be a JSON {'object' if kind is dict else 'array'}")
    return value


def _strings(request: Request, name: str) -> dict[str, str]:
    return {str(key): str(value) for key, value in (_json(request, name, dict) or {}).items()}


def _build_args(request: Request) -> dict[str, str | None]:
    return {key: value if value is None else str(value) for key, value in (_json(request, "buildargs", dict) or {}).items()}


def _contexts(request: Request) -> dict[str, str]:
    found = _strings(request, CONTEXTS)
    named.check(found)
    return found


def _limits(request: Request) -> Limits:
    ulimits = _json(request, "ulimits", list) or []
    return Limits(
        memory=request.number("memory") or 0,
        memory_swap=request.number("memswap") or 0,
        cpu_shares=request.number("cpushares") or 0,
        cpu_period=request.number("cpuperiod") or 0,
        cpu_quota=request.number("cpuquota") or 0,
        cpuset_cpus=request.text("cpusetcpus"),
        cpuset_mems=request.text("cpusetmems"),
        shm_size=request.number("shmsize") or 0,
        ulimits=tuple((one.get("Name", ""), one.get("Soft", 0), one.get("Hard", 0)) for one in ulimits),
        cgroup_parent=request.text("cgroupparent"),
    )


def _header(request: Request, name: str) -> Mapping[str, Any]:
    """What cannot be read counts as nothing."""
    text = request.headers.get(name, "")
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _secrets(request: Request) -> dict[str, bytes]:
    return {str(name): base64.b64decode(value) for name, value in _header(request, SECRETS).items()}
