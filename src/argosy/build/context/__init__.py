"""Where a build's files come from: a client's tar, a URL, git. Each lies unpacked in a directory of its own while the build runs."""

from argosy.build.context.contexts import Contexts, Update
from argosy.build.context.digest import Matched, digests_of
from argosy.build.context.model import Context, Definition

__all__ = ["Context", "Definition", "Contexts", "Matched", "Update", "digests_of"]
