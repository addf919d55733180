"""What ``--log-opt labels, labels-regex, env, env-regex, tag`` add to each record. Used by the daemon; pure.

moby ``daemon/logger/loginfo.go`` (ExtraAttributes) and ``loggerutils/log_tag.go``.
"""

import re
from collections.abc import Mapping, Sequence

CONTEXT = ("container_id", "container_name", "image_id", "image_name")
"""Keys of `LogPlan.attributes` that only the tag template and journald need; they are not written with each line."""

_FIELD = re.compile(r"\{\{-?\s*\.(\w+)\s*-?\}\}")


class TagError(ValueError):
    """The tag template asks for something that does not exist."""


def extra_attributes(options: Mapping[str, str], labels: Mapping[str, str], env: Sequence[str]) -> dict[str, str]:
    """Return the labels and environment variables that the options select, under their own names."""
    variables = dict(entry.partition("=")[::2] for entry in env if "=" in entry)
    found: dict[str, str] = {}
    for option, values in (("labels", labels), ("env", variables)):
        names = options.get(option, "")
        found.update({name: values[name] for name in names.split(",") if name in values})
        pattern = options.get(option + "-regex", "")
        if pattern:
            matcher = re.compile(pattern)
            found.update({name: value for name, value in values.items() if matcher.search(name)})
    return found


def expand_tag(template: str, context: Mapping[str, str]) -> str:
    """Return the tag; an empty template stays empty. Raises TagError."""
    identifier, name, image = context.get("container_id", ""), context.get("container_name", ""), context.get("image_id", "")
    values = {
        "ID": identifier[:12],
        "FullID": identifier,
        "Name": name.removeprefix("/"),
        "ImageID": image.removeprefix("sha256:")[:12],
        "ImageFullID": image,
        "ImageName": context.get("image_name", ""),
        "DaemonName": "docker",
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise TagError(f"failed to parse log tag: can't evaluate field {match[1]} in type logger.Info")
        return values[match[1]]

    tag = _FIELD.sub(value, template)
    if "{{" in tag:
        raise TagError(f"failed to parse log tag: {template!r} is not understood")
    return tag


def shim_plan(driver: str, path: str, options: Mapping[str, str], attributes: Mapping[str, str], container_id: str) -> dict[str, object]:
    """Return the log part of a shim's request: the tag expanded, the context apart from what is written."""
    context = {"container_id": container_id, **{key: attributes[key] for key in CONTEXT if key in attributes}}
    written = {key: value for key, value in attributes.items() if key not in CONTEXT}
    known = {
        "argosy.id": container_id,
        "argosy.name": context.get("container_name", "").removeprefix("/"),
        "argosy.image": context.get("image_name", ""),
    }
    settings = {**options, **known}
    if options.get("tag"):
        settings["tag"] = written["tag"] = expand_tag(options["tag"], context)
    return {"driver": driver, "path": path, "options": settings, "attributes": written}
