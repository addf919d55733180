"""The Dockerfile grammar: text in, values of `ast` out. Pure. https://docs.docker.com/reference/dockerfile/"""

from argosy.build.dockerfile.configure import apply_to_config
from argosy.build.dockerfile.errors import DockerfileError
from argosy.build.dockerfile.expand import ExpansionError, expand, expand_words
from argosy.build.dockerfile.expansion import expanded, expanded_from
from argosy.build.dockerfile.parser import parse, parse_trigger

__all__ = [
    "DockerfileError",
    "ExpansionError",
    "apply_to_config",
    "expand",
    "expand_words",
    "expanded",
    "expanded_from",
    "parse",
    "parse_trigger",
]
