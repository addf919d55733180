"""What the engines are given to chew: one small image, a big one, an archive of many files, lines to log, a build context."""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import hub
from target import IMAGE

BIG_IMAGE = "argosy-bench-big:latest"
LAYERED = "bench/layered"
LAYERS = 8
LINES = 2_000_000
LINE = b'%09d INFO request served path="/api/v1/items" status=200 took=12.34ms bytes=5120 agent=bench/1.0 xy\n'
DOCKERFILE = f"""FROM {IMAGE}
ENV A=1 B=2
LABEL x=y
WORKDIR /app
COPY app.txt /app/app.txt
RUN echo one > /one
COPY src /app/src
RUN echo two > /two && cat /one
RUN mkdir -p /opt/x && cp -r /app/src /opt/x/
EXPOSE 8080
USER root
CMD ["sh"]
"""


def _file(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    tar.addfile(member, io.BytesIO(data))


def _entry(tar: tarfile.TarFile, name: str, kind: bytes, target: str = "") -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, 0o755
    tar.addfile(member)


def _root_layer() -> bytes:
    """Return a layer of busybox, with iperf3 and its libraries where the machine has it (for the published port)."""
    busybox = next(path for path in map(Path, ("/bin/busybox", "/usr/bin/busybox")) if path.exists())
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in ("bin", "data", "etc", "lib", "lib64", "tmp", "usr", "usr/bin", "var"):
            _entry(tar, name, tarfile.DIRTYPE)
        _file(tar, "bin/busybox", busybox.read_bytes(), 0o755)
        for applet in subprocess.run([str(busybox), "--list"], check=True, capture_output=True, text=True).stdout.split():
            if applet != "busybox":
                _entry(tar, f"bin/{applet}", tarfile.SYMTYPE, "busybox")
        _file(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        _file(tar, "etc/group", b"root:x:0:\n")
        if iperf := shutil.which("iperf3"):
            _file(tar, "usr/bin/iperf3", Path(iperf).read_bytes(), 0o755)
            for library in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", iperf], check=True, capture_output=True, text=True).stdout):
                folder = "lib64" if "ld-linux" in library else "lib"
                _file(tar, f"{folder}/{Path(library).name}", Path(library).resolve().read_bytes(), 0o755)
    return stream.getvalue()


def _mixed(target: Path, prefix: str, small: tuple[int, int], big: tuple[int, int]) -> None:
    """Write an archive of many small and some big files, half of it random, half repetitive; counts and sizes."""
    pool = os.urandom(1 << 19) + (b"the quick brown fox jumps over the lazy dog 0123456789\n" * 10_000)[: 1 << 19]
    with tarfile.open(target, "w") as tar:
        _entry(tar, prefix, tarfile.DIRTYPE)
        for number in range(small[0]):
            if number % 100 == 0:
                _entry(tar, f"{prefix}/d{number // 100}", tarfile.DIRTYPE)
            begin = number * 7919 % (len(pool) - small[1])
            _file(tar, f"{prefix}/d{number // 100}/f{number}", pool[begin : begin + small[1]])
        for number in range(big[0]):
            _file(tar, f"{prefix}/big{number}", (pool * (big[1] // len(pool) + 2))[number : number + big[1]])


def _configuration(diff_ids: list[str]) -> bytes:
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "created": "2024-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/usr/bin:/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in diff_ids]},
        "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "bench"} for _ in diff_ids],
    }
    return json.dumps(config).encode()


def _image(target: Path, reference: str, layers: list[bytes]) -> bytes:
    """Write a docker-archive (image specification v1.2); return its configuration."""
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    text = _configuration(digests)
    name = hashlib.sha256(text).hexdigest() + ".json"
    manifest = [{"Config": name, "RepoTags": [reference], "Layers": [f"{digest}/layer.tar" for digest in digests]}]
    half = target.with_suffix(".half")
    with tarfile.open(half, "w") as tar:
        _file(tar, name, text)
        for digest, layer in zip(digests, layers):
            _entry(tar, digest, tarfile.DIRTYPE)
            _file(tar, f"{digest}/VERSION", b"1.0")
            _file(tar, f"{digest}/json", json.dumps({"id": digest, "created": "2024-01-01T00:00:00Z"}).encode())
            _file(tar, f"{digest}/layer.tar", layer)
        _file(tar, "manifest.json", json.dumps(manifest).encode())
    half.rename(target)
    return text


class Payload:
    """The files, made once in a folder and used again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.big_image = folder / "big-image.tar"
        self.archive = folder / "archive.tar"
        self.context = folder / "context.tar"
        self.lines = folder / "lines" / "lines.txt"
        self.layered = folder / "layered.tar"
        self.registry = folder / "registry"
        layer = _root_layer()
        # Named by what is in it: the machine's busybox and iperf3 may have come or changed since the last time.
        self.image = folder / f"image-{hashlib.sha256(layer).hexdigest()[:12]}.tar"
        if not self.image.exists():
            _image(self.image, IMAGE, [layer])
        self._context()

    def lines_ready(self) -> int:
        """Make the text to log if it is not there; return its bytes (200 MB)."""
        if not self.lines.exists():
            self.lines.parent.mkdir(exist_ok=True)
            half = self.lines.with_suffix(".half")
            with half.open("wb") as file:
                for begin in range(0, LINES, 100_000):
                    file.write(b"".join(LINE % number for number in range(begin, begin + 100_000)))
            half.rename(self.lines)
        return self.lines.stat().st_size

    def archive_ready(self) -> int:
        """Make the archive of 200 MB if it is not there; return its bytes."""
        if not self.archive.exists():
            half = self.archive.with_suffix(".half")
            _mixed(half, "pay", (4000, 10_000), (16, 10_000_000))
            half.rename(self.archive)
        return self.archive.stat().st_size

    def big_image_ready(self) -> int:
        """Make the image of 300 MB if it is not there; return its bytes."""
        if not self.big_image.exists():
            layer = self.big_image.with_suffix(".layer")
            _mixed(layer, "opt", (3000, 20_000), (24, 10_000_000))
            _image(self.big_image, BIG_IMAGE, [layer.read_bytes()])
            layer.unlink()
        return self.big_image.stat().st_size

    def layered_ready(self) -> None:
        """Make the image of 300 MB in 8 layers if it is not there: as an archive, and gzipped in a registry's storage."""
        if self.registry.exists() and self.layered.exists():
            return
        plain = []
        for number in range(LAYERS):
            part = self.layered.with_suffix(f".{number}")
            _mixed(part, f"opt{number}", (375, 20_000), (3, 10_000_000))
            plain.append(part.read_bytes())
            part.unlink()
        config = _image(self.layered, f"{LAYERED}:latest", plain)
        half = self.registry.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.rmtree(self.registry, ignore_errors=True)
        hub.store(half, LAYERED, "latest", config, [gzip.compress(layer, 4, mtime=0) for layer in plain])
        half.rename(self.registry)

    def _context(self) -> None:
        with tarfile.open(self.context, "w") as tar:
            _file(tar, "Dockerfile", DOCKERFILE.encode())
            _file(tar, "app.txt", b"hello\n" * 1000)
            for number in range(50):
                _file(tar, f"src/f{number}.txt", os.urandom(2000))
