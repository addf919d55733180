"""Room made by giving up images: only those that no container and no child needs, the longest unused first."""

import pytest

from argosy.images.reclaim import Reclaimer
from argosy.images.using import User
from argosy.images.watermarks import Watermarks
from suites.snapshots import tar

pytestmark = pytest.mark.root

HOUR = 3600


async def filled(host):
    for name in ("first", "second", "third"):
        await host.import_(tar((name, b"x" * 100_000)), name)
        host.clock.advance(2 * HOUR)


async def names(host):
    return {name for image in await host.images.list_(all=True, filters={}) for name in image.repo_tags}


async def test_the_longest_unused_image_goes_first(host):
    await filled(host)
    await host.images.resolve("first")
    host.clock.advance(HOUR)
    freed = await host.images.give_up(1)
    assert freed >= 100_000
    assert await names(host) == {"first:latest", "third:latest"}


async def test_when_an_image_was_used_is_known_after_a_restart(host):
    await filled(host)
    await host.images.resolve("first")
    await host.images.note_use()
    host.clock.advance(HOUR)
    await host.restart()
    await host.images.give_up(1)
    assert await names(host) == {"first:latest", "third:latest"}


async def test_what_a_container_uses_stays_whatever_is_asked(host):
    await filled(host)
    image = (await host.images.resolve("first")).id
    host.clock.advance(HOUR)
    host.used[image] = [User("c" * 64, running=False)]
    await host.images.give_up(1 << 40)
    assert await names(host) == {"first:latest"}


async def test_an_image_that_has_just_come_stays(host):
    await filled(host)
    await host.import_(tar(("new", b"x")), "new")
    await host.images.give_up(1 << 40)
    assert await names(host) == {"new:latest"}


async def test_the_build_cache_goes_before_any_image(host):
    await filled(host)
    asked = []

    async def free_cache(need):
        asked.append(need)
        return need

    marks = Watermarks(1, 0)  # every disk is as full as that
    await Reclaimer(images=host.images, path=host.root, marks=marks, free_cache=free_cache).look()
    assert len(asked) == 1
    assert len(await names(host)) == 3
    await Reclaimer(images=host.images, path=host.root, marks=marks).look()
    assert await names(host) == set()


async def test_without_marks_nothing_is_ever_removed(host):
    await filled(host)
    reclaimer = Reclaimer(images=host.images, path=host.root, marks=Watermarks(0, 75))
    assert await reclaimer.look() == 0
    await reclaimer.run()
    assert len(await names(host)) == 3
