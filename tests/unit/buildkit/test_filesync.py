"""The receiving half of the file transfer, against a client that follows the protocol as fsutil's sender does."""

import contextlib
import io
import tarfile
from dataclasses import dataclass, field

import pytest

from argosy.base.errors import InvalidParameterError, UnavailableError
from argosy.buildkit import filesync, messages
from argosy.buildkit.filesync import DATA, ERR, FIN, REQ

DIRECTORY, SYMLINK = 1 << 31, 1 << 27


def entry(path, mode=0o644, content=b"", **more):
    return messages.Stat(path=path, mode=mode, size=len(content), mtime=1_600_000_000 * 10**9, **more), content


class Client:
    """Sends what it is asked for; the last that was asked for comes first."""

    def __init__(self, entries, *, leaves=False, error=""):
        self.packets = [messages.Packet(stat=stat) for stat, _ in entries] + [messages.Packet()]
        self.contents = [content for _, content in entries]
        self.asked: list[int] = []
        self.pending: list[int] = []
        self.most = 0
        self.leaves = leaves
        self.error = error
        self.over = False

    async def send_message(self, packet, *, end=False):
        if packet.type == REQ:
            self.asked.append(packet.id)
            self.pending.append(packet.id)
            self.most = max(self.most, len(self.pending))
        if packet.type == FIN:
            self.over = True
            self.packets.append(messages.Packet(type=FIN))

    async def recv_message(self):
        if not self.packets and self.pending and not self.leaves:
            number = self.pending.pop()
            content = self.contents[number]
            pieces = [content[at : at + 32768] for at in range(0, len(content), 32768)]
            self.packets = [messages.Packet(type=DATA, id=number, data=piece) for piece in [*pieces, b""]]
            if self.error:
                self.packets = [messages.Packet(type=ERR, data=self.error.encode())]
        return self.packets.pop(0) if self.packets else None


@dataclass
class Session:
    client: Client
    methods: frozenset[str] = frozenset({filesync.PATH})
    metadata: list[tuple[str, str]] = field(default_factory=list)

    @property
    def caller(self):
        return self

    @contextlib.asynccontextmanager
    async def conversation(self, path, kind, metadata):
        self.metadata = list(metadata)
        yield self.client


async def received(session, **options):
    data = b"".join([piece async for piece in filesync.directory(session, "context", **options)])
    return tarfile.open(fileobj=io.BytesIO(data))


async def test_a_tree_as_a_tar():
    client = Client(
        [
            entry("a", content=b"hello"), entry("d", 0o755 | DIRECTORY), entry("d/empty"), entry("d/suid", 0o755 | 1 << 23, b"x" * 600),
            entry("hard", content=b"", linkname="a"), entry("link", 0o777 | SYMLINK, linkname="a"),
            entry("name with \u00e9\n", content=b"z"),
        ]
    )  # fmt: skip
    tar = await received(Session(client))
    assert [(one.name, one.type, oct(one.mode), one.linkname, one.mtime) for one in tar] == [
        ("a", tarfile.REGTYPE, "0o644", "", 1_600_000_000),
        ("d", tarfile.DIRTYPE, "0o755", "", 1_600_000_000),
        ("d/empty", tarfile.REGTYPE, "0o644", "", 1_600_000_000),
        ("d/suid", tarfile.REGTYPE, "0o4755", "", 1_600_000_000),
        ("hard", tarfile.LNKTYPE, "0o644", "a", 1_600_000_000),
        ("link", tarfile.SYMTYPE, "0o777", "a", 1_600_000_000),
        ("name with \u00e9\n", tarfile.REGTYPE, "0o644", "", 1_600_000_000),
    ]
    assert tar.extractfile("a").read() == b"hello" and tar.extractfile("d/suid").read() == b"x" * 600
    # Numbers count all entries, and only files with content of their own are asked for.
    assert client.asked == [0, 2, 3, 6] and client.over


async def test_only_so_much_is_asked_for_at_once():
    client = Client([entry(f"{number:03}", content=bytes([number]) * (1 << 20)) for number in range(12)])
    tar = await received(Session(client))
    assert all(tar.extractfile(f"{number:03}").read() == bytes([number]) * (1 << 20) for number in range(12))
    assert client.most == 4


async def test_a_file_larger_than_that_goes_alone():
    client = Client([entry("big", content=b"b" * (9 << 20)), entry("small", content=b"s")])
    told = []
    tar = await received(Session(client), progress=lambda count, over: told.append((count, over)))
    assert tar.getmember("big").size == 9 << 20 and client.most == 1
    assert told[-1] == ((9 << 20) + 1, True)


async def test_patterns_travel_in_headers():
    session = Session(Client([]))
    await received(session, exclude=["*.o", "!a.o"], follow=["x"])
    assert session.metadata == [("dir-name", "context"), ("exclude-patterns", "*.o"), ("exclude-patterns", "!a.o"), ("followpaths", "x")]
    await received(session2 := Session(Client([])), exclude=["\u00e9 b"])
    assert session2.metadata[1:] == [("exclude-patterns-encoded", "1"), ("exclude-patterns", "%C3%A9+b")]


async def test_files_that_are_there():
    session = Session(Client([entry("Dockerfile", content=b"FROM x")]))
    assert await filesync.files(session, "dockerfile", ["Dockerfile", "dockerfile"], progress=lambda *_: None) == {"Dockerfile": b"FROM x"}


async def test_what_goes_wrong_is_told():
    with pytest.raises(InvalidParameterError, match="error from sender: permission denied"):
        await received(Session(Client([entry("a", content=b"x")], error="permission denied")))
    with pytest.raises(UnavailableError, match="session has ended"):
        await received(Session(Client([entry("a", content=b"x")], leaves=True)))
    changed = Client([entry("a", content=b"xy")])
    changed.contents[0] = b"x"
    with pytest.raises(InvalidParameterError, match="a changed while it was sent: 1 bytes instead of 2"):
        await received(Session(changed))
    with pytest.raises(InvalidParameterError, match="the client serves no files"):
        await received(Session(Client([]), methods=frozenset()))
