"""System call filters: our default profile, profiles in Docker's format, and their compiled form in a cache."""

from argosy.runtime.seccomp.cache import compiled
from argosy.runtime.seccomp.profile import ProfileError, load_profile, resolve

__all__ = ["ProfileError", "compiled", "load_profile", "resolve"]
