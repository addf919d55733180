"""What a FROM brings: an image of the store, one that is pulled, or nothing."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.build.context.named import NamedContexts
from argosy.build.dockerfile.args import Platform
from argosy.build.ports import Images
from argosy.build.request import BuildRequest
from argosy.build.solve.state import State
from argosy.images.compose import host_architecture
from argosy.images.distribution.credentials import choose
from argosy.images.record import Image
from argosy.oci.config import Config
from argosy.oci.reference import parse

SCRATCH = "scratch"
_OTHERS = {"x86_64": "amd64", "aarch64": "arm64"}


class Bases:
    """Of one build."""

    def __init__(self, *, images: Images, request: BuildRequest, contexts: NamedContexts) -> None:
        self._images = images
        self._request = request
        self._contexts = contexts

    def nothing(self, platform: str) -> State:
        """Return the state of a stage without files."""
        return State(None, Config(), platform_of(platform or self._request.platform))

    async def state(self, base: str, platform: str, say: Callable[[Mapping[str, Any]], None]) -> State:
        """Return the state that a stage begins with. Raises NotFoundError, InvalidParameterError in Docker's words."""
        wanted = platform or self._request.platform
        if base == SCRATCH and not self._contexts.image(base):
            return self.nothing(platform)
        image = await self.image(base, wanted, say)
        found = Platform(image.config.os or "linux", image.config.architecture, image.config.variant)
        history = image.config.history or ()
        return State(image.chain, image.view.config, found, base=image, history=history, author=image.config.author)

    async def image(self, name: str, platform: str, say: Callable[[Mapping[str, Any]], None]) -> Image:
        """Return an image by name, pulled if it is missing, is for another platform, or the client wants it fresh."""
        name = self._contexts.image(name) or name
        if not self._request.pull:
            with suppress(NotFoundError):
                return self._images.find(name, platform)
        auth = choose(self._request.auth, parse(name).domain)
        view = await self._images.pull(name, platform=platform, auth=auth, progress=say)
        return self._images.find(view.id)


def platform_of(text: str) -> Platform:
    """Return what ``--platform`` means, this host's own for none. Raises InvalidParameterError."""
    if not text:
        return Platform("linux", host_architecture())
    os_name, slash, rest = text.lower().partition("/")
    if not slash:
        os_name, rest = ("linux", host_architecture()) if os_name == "linux" else ("linux", os_name)
    architecture, _, variant = rest.partition("/")
    if os_name != "linux":
        raise InvalidParameterError(f'operating system is not supported: "{os_name}"')
    return Platform(os_name, _OTHERS.get(architecture, architecture), variant)
