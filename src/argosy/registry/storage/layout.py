"""Where things lie below the root. Pure: paths only."""

from dataclasses import dataclass
from pathlib import Path

VERSION = "1\n"


@dataclass(frozen=True, slots=True)
class Layout:
    root: str

    # As strings: pathlib costs more than the look-up it is for.

    @property
    def tmp(self) -> str:
        return f"{self.root}/tmp"

    @property
    def pool(self) -> str:
        return f"{self.root}/blobs"

    @property
    def repositories(self) -> str:
        return f"{self.root}/repositories"

    def pooled(self, digest: str) -> str:
        algorithm, _, value = digest.partition(":")
        return f"{self.root}/blobs/{algorithm}/{value[:2]}/{value}"

    def repository(self, name: str) -> str:
        return f"{self.root}/repositories/{name}"

    def lock(self, name: str) -> str:
        return f"{self.root}/repositories/{name}/_lock"

    def blob(self, name: str, digest: str) -> str:
        return f"{self.root}/repositories/{name}/_blobs/{digest.replace(':', '/')}"

    def manifest(self, name: str, digest: str) -> str:
        return f"{self.root}/repositories/{name}/_manifests/{digest.replace(':', '/')}"

    def tags(self, name: str) -> str:
        return f"{self.root}/repositories/{name}/_tags"

    def tag(self, name: str, tag: str) -> str:
        return f"{self.root}/repositories/{name}/_tags/{tag}"

    def referrers(self, name: str, subject: str) -> str:
        return f"{self.root}/repositories/{name}/_referrers/{subject.replace(':', '/')}"

    def referrer(self, name: str, subject: str, digest: str) -> str:
        return f"{self.referrers(name, subject)}/{digest.replace(':', '-')}"

    def uploads(self, name: str) -> str:
        return f"{self.root}/repositories/{name}/_uploads"

    def upload(self, name: str, upload: str) -> str:
        return f"{self.root}/repositories/{name}/_uploads/{upload}"


def prepare(root: Path) -> Layout:
    """Make the root's folders and return its layout. Raises OSError, or ValueError when another version wrote it."""
    layout = Layout(str(root.absolute()))
    for folder in (layout.pool, layout.tmp, layout.repositories):
        Path(folder).mkdir(parents=True, exist_ok=True)
    version = root / "VERSION"
    if not version.exists():
        version.write_text(VERSION)
    if (found := version.read_text()) != VERSION:
        raise ValueError(
            f"{root} was written by another version of the registry (layout {found.strip()}, this one knows {VERSION.strip()})"
        )
    return layout
