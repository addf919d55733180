"""System call filters: our default profile, profiles in Docker's format, and their compiled form in a cache."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.runtime.seccomp.cache import compiled
    from argosy.runtime.seccomp.profile import ProfileError, load_profile, resolve

__all__ = ["ProfileError", "compiled", "load_profile", "resolve"]


def __getattr__(name: str) -> object:
    """Import a door when it is used: ``argosy-runtime`` needs the cache alone."""
    if name not in __all__:
        raise AttributeError(name)
    module = "cache" if name == "compiled" else "profile"
    return getattr(__import__(f"argosy.runtime.seccomp.{module}", fromlist=[name]), name)
