"""``/``, ``/r/NAME`` and ``/r/NAME:TAG``."""

import asyncio
import hashlib
import hmac
import os
import time
from bisect import bisect_right
from urllib.parse import parse_qs, urlencode

from argosy.registry.auth.grant import DELETE, PULL, Gate, Need
from argosy.registry.errors import RegistryError
from argosy.registry.http.answer import Answer, AnyAnswer
from argosy.registry.http.request import Request
from argosy.registry.names import is_name, is_tag
from argosy.registry.page import write
from argosy.registry.page.facts import Facts
from argosy.registry.storage.catalogue import repositories
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.manifests import Manifests

_PAGE = 50
_FORM_LIMIT = 1 << 14
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}


class BrowsePage:
    def __init__(self, *, layout: Layout, manifests: Manifests, gate: Gate, read_only: bool) -> None:
        self._layout = layout
        self._manifests = manifests
        self._facts = Facts(layout=layout, manifests=manifests)
        self._gate = gate
        self._read_only = read_only
        self._key = os.urandom(32)

    async def answer(self, request: Request) -> AnyAnswer:
        try:
            request.grant = await self._gate.admit(request, Need(browser=True))
            if request.queries("login") and not request.user:
                raise _challenge()
            if request.path == "/":
                return await self._list(request)
            name, colon, tag = request.path.removeprefix("/r/").partition(":")
            if not is_name(name) or (colon and not is_tag(tag)) or not request.allows(name, PULL):
                return self._page(
                    request, "Not found", "<h1>Not found</h1><p class=sub>There is no such repository, or not for you.</p>", 404
                )
            if request.method == "POST":
                return await self._delete(request, name)
            return await (self._image(request, name, tag) if tag else self._repository(request, name))
        except RegistryError as error:
            body = f"<h1>{write.text(error)}</h1>"
            return self._page(request, "Refused", body, error.status, error.headers)

    async def _list(self, request: Request) -> AnyAnswer:
        wanted, last = request.query("q"), request.query("last")
        names = await asyncio.to_thread(repositories, self._layout)
        found = [name for name in names if wanted in name and request.allows(name, PULL)]
        start = bisect_right(found, last) if last else 0
        shown = found[start : start + _PAGE]
        rows = await asyncio.to_thread(lambda: [self._facts.repository(name) for name in shown])
        following = shown[-1] if start + _PAGE < len(found) else ""
        body = write.repositories(rows, total=len(found), host=_host(request), wanted=wanted, following=following, now=time.time())
        return self._page(request, "Argosy Registry", body)

    async def _repository(self, request: Request, name: str) -> AnyAnswer:
        rows = await asyncio.to_thread(self._facts.tags, name)
        if not rows and not await asyncio.to_thread(self._manifests.exists, name):
            return self._page(request, "Not found", "<h1>Not found</h1><p class=sub>There is no such repository.</p>", 404)
        gone = request.query("deleted")
        note = f"{gone} was deleted. Garbage collection will free its space." if is_tag(gone) else ""
        secret = self._secret(request.user) if self._may_delete(request, name) else ""
        body = write.repository(name, rows, host=_host(request), secret=secret, note=note, now=time.time())
        return self._page(request, name, body)

    async def _image(self, request: Request, name: str, tag: str) -> AnyAnswer:
        facts = await asyncio.to_thread(self._facts.image, name, tag)
        if facts is None:
            return self._page(request, "Not found", "<h1>Not found</h1><p class=sub>There is no such tag.</p>", 404)
        return self._page(request, f"{name}:{tag}", write.image(name, tag, facts, host=_host(request)))

    async def _delete(self, request: Request, name: str) -> AnyAnswer:
        form = parse_qs((await request.body(_FORM_LIMIT)).decode(errors="replace"))
        tag, secret = form.get("tag", [""])[0], form.get("secret", [""])[0]
        # Browsers send passwords with forms of other sites as well; those do not know the secret.
        if not self._may_delete(request, name) or not hmac.compare_digest(secret.encode(), self._secret(request.user).encode()):
            raise RegistryError("DENIED")
        if is_tag(tag):
            await asyncio.to_thread(self._manifests.remove_tag, name, tag)
        return Answer(303, headers={"Location": f"/r/{name}?{urlencode({'deleted': tag})}"})

    def _may_delete(self, request: Request, name: str) -> bool:
        return not self._read_only and request.allows(name, DELETE)

    def _secret(self, user: str) -> str:
        return hmac.new(self._key, user.encode(), hashlib.sha256).hexdigest()

    def _page(self, request: Request, title: str, body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
        may_log_in = request.grant is not None and not request.user and not request.allows("anything", DELETE)
        return Answer(status, write.document(title, body, user=request.user, may_log_in=may_log_in), {**_HEADERS, **(headers or {})})


def _challenge() -> RegistryError:
    """Return what makes a browser ask for a password: for who may look without one, but wants to log in."""
    return RegistryError("UNAUTHORIZED", headers={"WWW-Authenticate": 'Basic realm="Argosy registry"'})


def _host(request: Request) -> str:
    return request.headers.get("Host", "localhost")
