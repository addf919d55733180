import os

import pytest

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.oci import digest as digests
from argosy.storage.content import Content, discard


@pytest.fixture
def content(tmp_path):
    content = Content(tmp_path / "content")
    content.open()
    return content


def left(content):
    return sorted(path.name for path in (content.root / "ingest").iterdir())


async def test_a_blob_is_found_by_its_digest_also_after_reopening(content):
    digest = await content.put(b"hello")
    assert digest == digests.of(b"hello")
    assert (content.has(digest), content.size(digest), content.read(digest)) == (True, 5, b"hello")
    again = Content(content.root)
    again.open()
    assert (again.digests(), again.total()) == ([digest], 5)
    assert left(content) == []
    assert (content.root / "blobs" / "sha256" / digest[7:]).read_bytes() == b"hello"


async def test_what_is_not_there_is_told(content):
    for act in (content.size, content.read, content.open_blob):
        with pytest.raises(NotFoundError):
            act("sha256:" + "0" * 64)
    with pytest.raises(InvalidParameterError):
        content.path("sha256:../../x")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_a_transfer_goes_on_where_it_stopped(content, algorithm):
    data = os.urandom(300_000)
    digest = digests.of(data, algorithm)
    first = content.writer(digest, len(data))
    assert await first.start() == 0
    await first.write(data[:100_000])
    first.close()
    again = Content(content.root)
    again.open()
    second = again.writer(digest, len(data))
    assert await second.start() == 100_000
    await second.write(data[100_000:])
    await second.commit()
    assert again.read(digest) == data
    assert left(content) == []


async def test_a_wrong_blob_leaves_nothing(content):
    digest = digests.of(b"right")
    writer = content.writer(digest, 5)
    await writer.start()
    await writer.write(b"wrong")
    with pytest.raises(InvalidParameterError, match="unexpected commit digest"):
        await writer.commit()
    assert (content.digests(), left(content)) == ([], [])
    short = content.writer(digest, 5)
    await short.start()
    await short.write(b"rig")
    with pytest.raises(InvalidParameterError, match="has 3 bytes, 5 were expected"):
        await short.commit()
    assert left(content) == []
    long = content.writer(digest, 5)
    await long.start()
    with pytest.raises(InvalidParameterError, match="is longer than 5 bytes"):
        await long.write(b"much longer")
    long.abandon()


async def test_two_writers_of_one_blob_do_not_meet(content):
    digest = digests.of(b"same")
    writers = [content.writer(digest, 4) for _ in range(2)]
    for writer in writers:
        assert await writer.start() == 0
        await writer.write(b"same")
    for writer in writers:
        await writer.commit()
    assert content.digests() == [digest]
    assert left(content) == []


async def test_a_region_of_a_file_is_verified(content, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"..data..")
    fd = os.open(path, os.O_RDONLY)
    await content.put_region(fd, 2, 4, digests.of(b"data"))
    with pytest.raises(InvalidParameterError):
        await content.put_region(fd, 2, 5, digests.of(b"other"))
    with pytest.raises(InvalidParameterError, match="unexpected EOF"):
        await content.put_region(fd, 2, 50, digests.of(b"more"))
    os.close(fd)
    assert content.digests() == [digests.of(b"data")]
    assert left(content) == []


async def test_collect_spares_roots_and_leases(content):
    one, two, three = [await content.put(data) for data in (b"1", b"22", b"333")]
    with content.leases.hold(two):
        gone = content.collect([one])
    assert content.digests() == [one, two]
    discard(gone)
    assert left(content) == []
    assert not content.path(three).exists()


async def test_old_remains_are_swept_at_boot(content):
    (content.root / "ingest" / "once-x").write_text("")
    old = content.root / "ingest" / ("sha256-" + "0" * 64)
    old.write_text("")
    os.utime(old, (1, 1))
    fresh = content.root / "ingest" / ("sha256-" + "1" * 64)
    fresh.write_text("")
    Content(content.root).open()
    assert left(content) == [fresh.name]
