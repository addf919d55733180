"""``--storage-opt size`` and volumes with ``size=``: by project quotas of xfs, and for volumes of ext4 too."""

from collections.abc import Iterator

import pytest

from support.daemon import Daemon
from support.loop import loop
from vm.inside.test_plain_quotas import KINDS
from vm.inside.using import begin, inside, refusal, remove, run

FILL = "dd if=/dev/zero of={} bs=64K count=256 2>&1; wc -c <{}"
SIZE = 8 << 20


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def sized(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon whose data lie on a file system that keeps projects within their limits."""
    size, options = KINDS[kind]
    with loop(tmp_path_factory.mktemp("sizes"), kind, size * 2, options, mounted="prjquota") as point:
        daemon = Daemon(tmp_path_factory.mktemp("daemon"))
        daemon.data_root = point / "argosy"
        try:
            daemon.start()
            daemon.import_busybox()
            yield daemon
        finally:
            daemon.destroy()


def filled(output: str) -> int:
    assert "uota exceeded" in output or "No space" in output, output
    return int(output.splitlines()[-1])


def test_a_volume_holds_what_it_may(sized: Daemon) -> None:
    sized.api("POST", "/volumes/create", {"Name": "small", "DriverOpts": {"size": "8m"}})
    assert 0 < filled(run(sized, "-v", "small:/data", "busybox", "sh", "-c", FILL.format("/data/x", "/data/x"))) <= SIZE
    assert (
        run(sized, "-v", "small:/data", "busybox", "sh", "-c", "rm /data/x; head -c 1000000 /dev/zero >/data/y; wc -c </data/y")
        == "1000000"
    )
    assert sized.api("GET", "/volumes/small")["Options"] == {"size": "8m"}
    # The limit is the file system's: it is there after the daemon's death, and gone with the volume.
    sized.kill()
    sized.start()
    assert 0 < filled(run(sized, "-v", "small:/data", "busybox", "sh", "-c", FILL.format("/data/x", "/data/x"))) <= SIZE
    sized.api("DELETE", "/volumes/small")
    sized.api("POST", "/volumes/create", {"Name": "small"})
    assert run(sized, "-v", "small:/data", "busybox", "sh", "-c", FILL.format("/data/x", "/data/x")).endswith(str(16 << 20))
    sized.api("DELETE", "/volumes/small")


def test_a_container_writes_what_it_may(sized: Daemon, kind: str) -> None:
    words = ["--storage-opt", "size=8m", "busybox", "sh", "-c"]
    if kind == "ext4":
        assert "supported only for overlay over xfs" in refusal(sized, *words, "true")
        return
    begin(sized, "small", *words, "sleep 600")
    begin(sized, "free", "busybox", "sleep", "600")
    assert 0 < filled(inside(sized, "small", FILL.format("/x", "/x"))) <= SIZE
    assert inside(sized, "free", FILL.format("/x", "/x")).endswith(str(16 << 20))
    # What it may write is what df tells it; files of the image can be changed and removed.
    assert int(inside(sized, "small", "df -k / | tail -1 | awk '{print $2}'")) == SIZE // 1024
    assert inside(sized, "small", "rm /x; mkdir /m; mv /bin/busybox /m/; /m/busybox echo works") == "works"
    sized.api("POST", "/containers/free/restart?t=0", timeout=300)
    for name in ("small", "free"):
        remove(sized, name)


@pytest.mark.parametrize("value", ["lots", "-1"])
def test_a_size_that_is_none_is_refused(value: str, sized: Daemon) -> None:
    assert f"invalid size: '{value}'" in refusal(sized, "--storage-opt", f"size={value}", "busybox", "true")
    status, _, body = sized.api.raw("POST", "/volumes/create", {"Name": "none", "DriverOpts": {"size": value}})
    assert status == 400 and f"invalid size: '{value}'" in body.decode()
