"""Pruning beside builds: what is taken while the disk is waited for."""

from pathlib import Path

from argosy.base.clock import SystemClock
from argosy.build.cache.downloads import Downloads
from argosy.build.cache.keeper import CacheKeeper
from argosy.build.cache.mounts import CacheMount, CacheMounts
from argosy.build.cache.record import MOUNT, SOURCE
from argosy.build.cache.table import CacheTable


class Disk:
    """A database whose writes let somebody in before they are done."""

    def __init__(self) -> None:
        self.meanwhile = None

    async def write(self, _work) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            await meanwhile()


class Workers:
    async def run(self, *_words, **_options) -> int:
        return 7


class Bin:
    def put(self, path: Path) -> None:
        path.rmdir()


class Images:
    def layer_chains(self):
        return frozenset()

    async def collect(self) -> int:
        return 0


async def test_a_build_that_takes_a_directory_while_it_is_pruned_keeps_it(tmp_path):
    disk, clock, trash = Disk(), SystemClock(), Bin()
    table = CacheTable(db=disk, clock=clock)
    mounts = CacheMounts(tmp_path / "mounts", table=table, workers=Workers(), trash=trash, clock=clock)
    downloads = Downloads(tmp_path / "downloads", table=table, trash=trash, clock=clock)
    mounts.open()
    keeper = CacheKeeper(table=table, mounts=mounts, places={MOUNT: mounts, SOURCE: downloads}, images=Images(), clock=clock, home=tmp_path)
    mount = CacheMount("apt", "shared")
    async with mounts.held(mount) as (path, fresh):
        assert fresh
    taken = []

    async def build() -> None:
        held = mounts.held(mount)
        taken.append((held, await held.__aenter__()))

    disk.meanwhile = build
    gone, freed = await keeper.prune({}, all=True, reserved=0, maximum=0, free=0)
    assert (len(gone), freed) == (1, 7)
    held, (again, fresh) = taken[0]
    assert again == path and again.is_dir() and fresh
    assert [record.place for record in table.all()] == [path.name]
    await held.__aexit__(None, None, None)
