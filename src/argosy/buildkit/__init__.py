"""BuildKit's protocol: what ``docker buildx``, ``docker compose build`` and buildctl speak, served by the builder of ``POST /build``.

Imported when the first such client comes. docs/design/buildkit.md
"""
