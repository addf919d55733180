"""The Engine API over HTTP: `server.ApiServer` on `listeners`, routes by noun, shapes by version. See docs/design/api.md."""

from argosy.api import light_aiohttp

light_aiohttp.install()
