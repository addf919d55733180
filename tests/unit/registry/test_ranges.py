import pytest

from argosy.registry.errors import RegistryError
from argosy.registry.ranges import chunk_of, part_of, progress


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 8)),
        ("bytes=-3", (7, 3)),
        ("bytes=-30", (0, 10)),
        ("bytes=5-500", (5, 5)),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
    ],
)
def test_parts_of_ten_bytes(header: str, part: tuple[int, int] | None) -> None:
    assert part_of(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=11-20", "bytes=-0"])
def test_nothing_in_the_range_is_416(header: str) -> None:
    with pytest.raises(RegistryError) as caught:
        part_of(header, 10)
    assert caught.value.status == 416 and caught.value.headers["Content-Range"] == "bytes */10"


def test_chunks() -> None:
    assert chunk_of("0-9") == chunk_of("bytes 0-9/*") == chunk_of("bytes=0-9") == (0, 9)
    for bad in ("", "9-0", "a-b", "0-", "-9", "0-9-9"):
        with pytest.raises(RegistryError) as caught:
            chunk_of(bad)
        assert caught.value.status == 416


def test_progress_of_nothing_is_as_dockers() -> None:
    assert progress(0) == "0-0" and progress(1) == "0-0" and progress(10) == "0-9"
