"""From a request to its answer: what the path means, whether it is allowed, who handles it, how it failed."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from argosy.registry.auth.grant import DELETE, PULL, PUSH, Gate, Need
from argosy.registry.errors import RegistryError
from argosy.registry.http.answer import JSON, Answer, AnyAnswer
from argosy.registry.http.request import BodyCutOff, Request
from argosy.registry.metrics import Metrics
from argosy.registry.names import Target, target_of

_log = logging.getLogger(__name__)

Handler = Callable[[Request, Target], Awaitable[AnyAnswer]]
Page = Callable[[Request], Awaitable[AnyAnswer]]
Handlers = Mapping[str, Mapping[str, Handler]]
"""Noun → method → handler."""
_WRITING = ("POST", "PUT", "PATCH", "DELETE")


class Dispatcher:
    def __init__(
        self,
        *,
        handlers: Handlers,
        pages: Mapping[str, Page],
        gate: Gate,
        metrics: Metrics,
        read_only: str = "",
    ) -> None:
        self._handlers = handlers
        self._pages = pages
        """First path component → what answers everything below it; it asks the gate itself."""
        self._gate = gate
        self._metrics = metrics
        self._read_only = read_only
        """Why nothing can be changed, empty when it can."""

    async def handle(self, request: Request) -> AnyAnswer:
        """Return the answer; raises ConnectionError only."""
        noun = "page"
        try:
            target = target_of(request.path)
            if target is not None:
                noun = target.noun
                answer = await self._api(request, target)
            else:
                answer = await self._page(request)
        except RegistryError as error:
            answer = _failed(request, error)
        except BodyCutOff as error:
            raise ConnectionResetError("the client went away while it sent its body") from error
        except ConnectionError:
            raise
        except OSError as error:
            _log.error("%s %s: %s", request.method, request.path, error)
            answer = _failed(request, RegistryError("UNKNOWN", f"the registry's storage failed: {error.strerror}"))
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            answer = _failed(request, RegistryError("UNKNOWN"))
        self._metrics.answered(request.method, noun, answer.status)
        _log.debug("%s %s %s %s %d", request.remote, request.user or "-", request.method, request.path, answer.status)
        return answer

    async def _api(self, request: Request, target: Target) -> AnyAnswer:
        methods = self._handlers[target.noun]
        handler = methods.get(request.method)
        if handler is None:
            raise RegistryError("UNSUPPORTED", headers={"Allow": ", ".join(methods)})
        request.grant = await self._gate.admit(request, _need(request, target))
        if self._read_only and request.method in _WRITING:
            raise RegistryError("UNSUPPORTED", self._read_only)
        return await handler(request, target)

    async def _page(self, request: Request) -> AnyAnswer:
        page = self._pages.get(request.path.split("/", 2)[1])
        if page is None:
            return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
        return await page(request)


def _need(request: Request, target: Target) -> Need:
    if not target.name:
        return Need()
    if target.noun in ("uploads", "upload"):
        # Docker's registry asks for both as well: clients ask the token server for what the challenge names.
        return Need(target.name, (PULL, PUSH))
    if request.method == "DELETE":
        return Need(target.name, (DELETE,))
    return Need(target.name, (PULL, PUSH) if request.method in _WRITING else (PULL,))


def _failed(request: Request, error: RegistryError) -> Answer:
    answer = Answer(error.status, error.body(), {"Content-Type": JSON, **error.headers})
    if not request.payload.is_eof():
        # What is left of the body would have to be read and thrown away.
        answer.keep_alive = False
    return answer
