"""``docker diff``."""

from argosy.engine.changes import changes


class Snapshots:
    async def changes(self, key):
        return [("/b/x", 1), ("/a", 0), ("/b", 0), ("/b-c", 2), ("/v", 1), ("/v/x", 1)]


async def test_sorted_parents_first_without_what_is_hidden():
    assert await changes(Snapshots(), "k", ["/v"]) == [("/a", 0), ("/b", 0), ("/b/x", 1), ("/b-c", 2)]
    assert ("/v", 1) in await changes(Snapshots(), "k")
