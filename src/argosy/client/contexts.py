"""Named daemons on disk, in docker's own layout so that either client can read a copy of the other's store.

``config.json`` holds ``currentContext``; ``contexts/meta/<sha256 of the name>/meta.json`` the description and the address;
``contexts/tls/<sha256 of the name>/docker/{ca,cert,key}.pem`` the certificates.
"""

from __future__ import annotations

import os

from argosy.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TLS_FILES = ("ca", "cert", "key")
_NAME_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_NAME_REST = _NAME_FIRST | frozenset("_.+-")


class ContextError(ClientError):
    """A context that does not exist, already exists, or may not be called so."""


class Context:
    """One named daemon."""

    __slots__ = ("description", "host", "name", "skip_tls_verify")

    def __init__(self, name: str, host: str, description: str = "", skip_tls_verify: bool = False) -> None:
        self.name = name
        self.host = host
        self.description = description
        self.skip_tls_verify = skip_tls_verify


def check_name(name: str) -> None:
    """Raise ContextError unless docker's store would take the name too."""
    if name == "default":
        raise ContextError('"default" is a reserved context name')
    if len(name) < 2 or name[0] not in _NAME_FIRST or not _NAME_REST.issuperset(name):
        raise ContextError(f'context name "{name}" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"')


def load_config(directory: str) -> dict[str, Any]:
    """Return config.json; a missing or empty one is an empty one. Raises ClientError on one that cannot be read."""
    path = os.path.join(directory, "config.json")
    try:
        with open(path, "rb") as file:
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from error
    if not content.strip():
        return {}
    import json

    try:
        value = json.loads(content)
    except ValueError as error:
        raise ClientError(f"{path}: {error}") from error
    return value if isinstance(value, dict) else {}


def save_config(directory: str, config: dict[str, Any]) -> None:
    """Replace config.json in one step; it may hold logins, so only its owner may read it."""
    import json

    write_private(os.path.join(directory, "config.json"), json.dumps(config, indent="\t").encode())


def write_private(path: str, content: bytes) -> None:
    """Write beside and rename, so that a reader sees the old file or the new one; follows a symlink to the real file."""
    path = os.path.realpath(path)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    aside = f"{path}.{os.getpid()}.new"
    try:
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        if os.path.exists(aside):
            os.unlink(aside)
        raise


class ContextStore:
    """The contexts below a configuration directory; ``default`` is not among them."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def names(self) -> list[str]:
        return sorted(context.name for context in self.list_())

    def list_(self) -> list[Context]:
        """Return every context that can be read, by name."""
        meta = os.path.join(self.directory, "contexts", "meta")
        found = []
        for entry in sorted(os.listdir(meta)) if os.path.isdir(meta) else []:
            context = self._read(os.path.join(meta, entry, "meta.json"))
            if context is not None:
                found.append(context)
        return sorted(found, key=lambda context: context.name)

    def exists(self, name: str) -> bool:
        return os.path.exists(os.path.join(self.meta_directory(name), "meta.json"))

    def get(self, name: str) -> Context:
        """Return a context; raises ContextError in docker's words when there is none."""
        context = self._read(os.path.join(self.meta_directory(name), "meta.json"))
        if context is None:
            raise ContextError(
                f'context "{name}": context not found: open {self.meta_directory(name)}/meta.json: no such file or directory'
            )
        return context

    def put(self, context: Context, tls: dict[str, bytes] | None = None) -> None:
        """Create or replace a context; certificates first, so that a context never lacks those it names."""
        check_name(context.name)
        if tls is not None:
            for file in TLS_FILES:
                path = os.path.join(self.tls_directory(context.name), f"{file}.pem")
                if file in tls:
                    write_private(path, tls[file])
                elif os.path.exists(path):
                    os.unlink(path)
        import json

        content = json.dumps(metadata(context), separators=(",", ":")).encode()
        write_private(os.path.join(self.meta_directory(context.name), "meta.json"), content)

    def remove(self, name: str) -> None:
        import shutil

        self.get(name)
        shutil.rmtree(self.meta_directory(name))
        shutil.rmtree(os.path.dirname(self.tls_directory(name)), ignore_errors=True)

    def tls_files(self, name: str) -> dict[str, str]:
        """Return the paths of the certificates that the context has, by ca, cert and key."""
        directory = self.tls_directory(name)
        paths = {file: os.path.join(directory, f"{file}.pem") for file in TLS_FILES}
        return {file: path for file, path in paths.items() if os.path.exists(path)}

    def meta_directory(self, name: str) -> str:
        return os.path.join(self.directory, "contexts", "meta", _digest(name))

    def tls_directory(self, name: str) -> str:
        return os.path.join(self.directory, "contexts", "tls", _digest(name), "docker")

    @staticmethod
    def _read(path: str) -> Context | None:
        import json

        try:
            with open(path, "rb") as file:
                value = json.loads(file.read())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise ContextError(f"{path}: {error}") from error
        return parse_metadata(value)


def metadata(context: Context) -> dict[str, Any]:
    """Return what ``meta.json`` holds."""
    about = {"Description": context.description} if context.description else {}
    return {
        "Name": context.name,
        "Metadata": about,
        "Endpoints": {"docker": {"Host": context.host, "SkipTLSVerify": context.skip_tls_verify}},
    }


def parse_metadata(value: dict[str, Any]) -> Context:
    endpoint = (value.get("Endpoints") or {}).get("docker") or {}
    return Context(
        str(value.get("Name", "")),
        str(endpoint.get("Host", "")),
        str((value.get("Metadata") or {}).get("Description", "")),
        bool(endpoint.get("SkipTLSVerify", False)),
    )


def _digest(name: str) -> str:
    import hashlib

    return hashlib.sha256(name.encode()).hexdigest()
