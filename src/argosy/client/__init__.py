"""The Engine API from Python: calls are values, made once, that a blocking or an asyncio client carries out.

>>> from argosy.client import containers
>>> from argosy.client.aio import AsyncClient
>>> async with AsyncClient.from_environment() as client:
...     for row in await client.call(containers.list_(all_=True)):
...         print(row["Id"], row["State"])

`containers`, `images`, `networks`, `volumes`, `execs` and `system` build calls and touch nothing.
`sync.Client` and `aio.AsyncClient` are the two thin executors over one sans-IO HTTP/1.1 codec (`http`).

Why not a library: importing aiohttp or http.client costs more than the whole budget of ``argosy ps``
(60 ms), neither lends out its socket for the hijacked streams of attach and exec without tricks, and the
part of HTTP that the Engine API uses is small.
"""
