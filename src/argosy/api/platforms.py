"""The ``platform`` parameter, JSON (``{"os":"linux","architecture":"arm64"}``) or short (``linux/arm64/v8``), in the short form."""

import msgspec

from argosy.base.errors import InvalidParameterError


def parse_platform(text: str) -> str:
    """Return ``os/architecture[/variant]`` or ``""``. Raises InvalidParameterError."""
    if not text.startswith(("{", "[", '"')):
        return text
    try:
        tree = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidParameterError(f"failed to parse platform: {error}") from None
    if isinstance(tree, str):
        return tree
    if not isinstance(tree, dict):
        raise InvalidParameterError("failed to parse platform: json: cannot unmarshal array into Go value of type v1.Platform")
    system, architecture = tree.get("os"), tree.get("architecture")
    if not isinstance(system, str) or not isinstance(architecture, str) or not system or not architecture:
        raise InvalidParameterError("both OS and Architecture must be provided")
    variant = tree.get("variant")
    return "/".join(filter(None, (system, architecture, variant if isinstance(variant, str) else "")))
