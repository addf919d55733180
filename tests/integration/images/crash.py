"""Run by test_crash: do one thing, and die at the failpoint that the environment names."""

import asyncio
import sys
from pathlib import Path

from argosy.images.model import CommitRequest
from argosy.oci.config import Config
from suites.image_host import Host
from suites.snapshots import Opened, digest, tar

BASE = tar(("a", b"base"))


async def main(root: Path, act: str) -> None:
    host = await Host(root).start()
    if act == "import":
        await host.import_(tar(("b", b"imported")), "new")
    elif act == "commit":
        with Opened(await host.snapshots.prepare("c1", digest(BASE))) as opened:
            opened.write("c", b"committed")
        base = (await host.images.resolve("base")).id
        await host.images.commit(CommitRequest("c1", base, "c1", Config(), "new"))
    elif act == "load":
        await host.load((root.parent / "archive").read_bytes())
    elif act == "remove":
        await host.images.remove("base", force=True, prune=True)
    elif act == "snapshot":
        await host.snapshots.prepare("c2", digest(BASE))
        await host.snapshots.remove("c2")
    await host.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
