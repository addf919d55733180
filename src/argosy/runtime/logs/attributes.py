"""What ``--log-opt labels, labels-regex, env, env-regex, tag`` add to each record. Used by the daemon; pure.

moby ``daemon/logger/loginfo.go`` (ExtraAttributes) and ``loggerutils/log_tag.go``.
"""

import re
from collections.abc import Mapping, Sequence

CONTEXT = ("container_id", "container_name", "image_id", "image_name", "container_command", "container_created")
"""Keys of `LogPlan.attributes` that only the tag template and what is sent away need; they are not written with each line."""

_FIELD = re.compile(r"\{\{-?\s*\.(\w+)\s*-?\}\}")


class TagError(ValueError):
    """The tag template asks for something that does not exist, or a pattern is none."""


def extra_attributes(options: Mapping[str, str], labels: Mapping[str, str], env: Sequence[str]) -> dict[str, str]:
    """Return the labels and environment variables that the options select, under their own names."""
    variables = dict(entry.partition("=")[::2] for entry in env if "=" in entry)
    found: dict[str, str] = {}
    for option, values in (("labels", labels), ("env", variables)):
        names = options.get(option, "")
        found.update({name: values[name] for name in names.split(",") if name in values})
        pattern = options.get(option + "-regex", "")
        if pattern:
            try:
                matcher = re.compile(pattern)
            except re.error as error:
                raise TagError(f"error parsing regexp: {error}: `{pattern}`") from error
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
        if (field := match[1]) not in values:
            why = f"can't evaluate field {field} in type *logger.Info"
            raise TagError(f'failed to parse log tag: template: log-tag:1:2: executing "log-tag" at <.{field}>: {why}')
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
        "argosy.image_id": context.get("image_id", ""),
        "argosy.command": context.get("container_command", ""),
        "argosy.created": context.get("container_created", ""),
    }
    settings = {**options, **known}
    if options.get("tag"):
        settings["tag"] = written["tag"] = expand_tag(options["tag"], context)
    return {"driver": driver, "path": path, "options": settings, "attributes": written}
