"""A virtual machine with a stock Debian kernel: cgroup v2, systemd, AppArmor, an older kernel, and a power switch.

Nothing is installed here but qemu: the kernel and the root filesystem come from Debian packages that are only unpacked. The checkout and
its .venv are on a disk of their own, at the same path as here, so that the same Python packages serve in the machine.

    vm = VirtualMachine(folder)
    done = vm.run("./test unit")           # boots, runs, powers off: status, output, files left in /result
    vm.run("...", systemd=True)            # the same with systemd as the first process

One processor, and one machine at a time here. docs/design/virtual-machine.md.
"""

import fcntl
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from support import rootfs

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = rootfs.CACHE
# The suite whose Python is the one that .venv was made with; its kernel: 6.1 in Debian 12, 6.12 in 13.
SUITES = {11: "bookworm", 13: "trixie"}
PACKAGES = (
    "python3 python3-venv systemd-sysv dbus kmod iproute2 nftables libnftables1 libseccomp2 busybox-static procps git ca-certificates"
    " apparmor runc crun xfsprogs selinux-policy-default policycoreutils checkpolicy semodule-utils attr nfs-kernel-server ksmbd-tools"
)
FIRST_MODULES = ("virtio_pci", "virtio_blk", "ext4", "virtio_rng")
RESULT_BYTES = 64 << 20
KEPT_SECONDS = 3 * 86400
"""How long a root image that nobody uses stays in the cache."""

EARLY = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /new
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /modules/$module; done
for attempt in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/vdc ] && break; /bin/busybox sleep 0.2; done
/bin/busybox mount -t ext4 -o rw /dev/vda /new || /bin/busybox poweroff -f
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new /argosy-vm/init
"""

# /dev/vda the root, vdb the checkout, vdc where the results go as a tar, vdd (where given) a disk that is kept between boots.
INIT = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t proc proc /proc 2>/dev/null; mount -t sysfs sysfs /sys 2>/dev/null
for word in $(cat /proc/cmdline); do case $word in argosy.checkout=*) checkout=${word#*=} ;; esac; done
mkdir -p $checkout /result
mount /dev/vdb $checkout
case " $(cat /proc/cmdline) " in *" argosy.systemd "*) umount /proc; exec /lib/systemd/systemd ;; esac
hostname vm
mount -t tmpfs tmpfs /run; mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
for link in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -sf ${link#*:} /dev/${link%%:*}; done
ip link set lo up
exec /argosy-vm/job
"""

JOB = """#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mkdir -p /result /data
[ ! -b /dev/vdd ] || mount /dev/vdd /data
for word in $(cat /proc/cmdline); do case $word in argosy.checkout=*) checkout=${word#*=} ;; esac; done
cd $checkout
bash .argosy-vm-command 2>&1 </dev/null | tee /result/output >/dev/ttyS0
echo "${PIPESTATUS[0]}" >/result/status
tar -C /result -cf /dev/vdc .
[ ! -b /dev/vdd ] || umount -l /data
sync
echo argosy-vm-done >/dev/ttyS0
case " $(cat /proc/cmdline) " in *" argosy.systemd "*) systemctl poweroff --force ;; *) exec /bin/busybox poweroff -f ;; esac
"""

UNIT = """[Unit]
Description=The command of this boot
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/argosy-vm/job
TimeoutStartSec=infinity
[Install]
WantedBy=argosy-vm.target
"""

TARGET = "[Unit]\nRequires=multi-user.target\nAfter=multi-user.target\nWants=argosy-vm.service\nAllowIsolate=yes\n"


@dataclass
class Done:
    """How a boot ended: the command's status (None: it never came so far), its output, the console, the files of /result."""

    status: int | None
    output: str
    console: str
    seconds: float
    results: Path
    killed: bool = field(default=False)


def why_not() -> str | None:
    """Return why no virtual machine can be had here, None when one can."""
    if not all(shutil.which(name) for name in ("qemu-system-x86_64", "qemu-img", "mkfs.ext4", "cpio")):
        return "needs qemu-system-x86, qemu-utils, e2fsprogs and cpio"
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        return "needs root and debootstrap"
    if sys.version_info[1] not in SUITES:
        return f"no Debian has Python 3.{sys.version_info[1]}, with which .venv was made"
    return None


def _short(text: str) -> str:
    """Return a few digits that change with the recipe, so that what was made by an older one is not taken for it."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def kernel(suite: str) -> tuple[Path, Path, str]:
    """Return the kernel image, its folder of modules and its version, from the suite's cloud kernel (only unpacked)."""
    folder = CACHE / f"kernel-{suite}"
    if not folder.exists():
        half = CACHE / f"kernel-{suite}.half"
        shutil.rmtree(half, ignore_errors=True)
        (half / "debs").mkdir(parents=True)
        tree = half / "apt-tree"
        # The suite's own lists, out of the root filesystem that was made of it: this machine may run another suite.
        rootfs.unpack(rootfs.debootstrap(suite, PACKAGES.split(), f"vm-{suite}-{_short(PACKAGES)}"), tree)
        rootfs.pass_network_settings(tree)
        script = (
            "apt-get -qq update && cd /tmp && name=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -1)"
            " && apt-get -qq -o APT::Sandbox::User=root download $name"
        )
        subprocess.run(["chroot", str(tree), "sh", "-c", script], check=True, stdin=subprocess.DEVNULL, capture_output=True)
        for package in (tree / "tmp").glob("linux-image-*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(half)], check=True)
        (version,) = os.listdir(half / "lib/modules")
        (tree / "usr/lib/modules").mkdir(exist_ok=True)
        shutil.move(half / "lib/modules" / version, tree / "usr/lib/modules" / version)
        subprocess.run(["chroot", str(tree), "depmod", version], check=True)
        shutil.move(tree / "usr/lib/modules" / version, half / "lib/modules" / version)
        shutil.rmtree(tree)
        half.rename(folder)
    (version,) = os.listdir(folder / "lib/modules")
    return folder / f"boot/vmlinuz-{version}", folder / "lib/modules" / version, version


def _with_dependencies(modules: Path, names: Iterable[str]) -> list[str]:
    """Return the paths of modules and all they depend on, in the order of loading (modules.dep(5)); those built in have none."""
    lines = dict(line.split(":", 1) for line in (modules / "modules.dep").read_text().splitlines())
    found: list[str] = []
    for name in names:
        for path, needs in lines.items():
            if re.sub(r"\.ko(\.xz)?$", "", Path(path).name).replace("-", "_") == name:
                found += [*reversed(needs.split()), path]
    return list(dict.fromkeys(found))


def _initramfs(target: Path, modules: Path) -> None:
    """Write an initramfs of busybox and the modules that reach the root disk."""
    tree = target.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    (tree / "modules").mkdir()
    shutil.copy(next(path for path in ("/bin/busybox", "/usr/bin/busybox") if Path(path).exists()), tree / "bin/busybox")
    names = _with_dependencies(modules, FIRST_MODULES)
    for name in names:
        data = (modules / name).read_bytes()
        (tree / "modules" / Path(name).stem).write_bytes(lzma.decompress(data) if name.endswith(".xz") else data)
    init = tree / "init"
    init.write_text(EARLY.format(modules=" ".join(Path(name).stem for name in names)))
    init.chmod(0o755)
    with target.open("wb") as out:
        listing = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=tree, input=listing.encode(), stdout=out, check=True)
    shutil.rmtree(tree)


def _disk(target: Path, tree: Path, megabytes: int) -> None:
    """Write an ext4 image of a folder, without mounting anything (mke2fs(8) -d)."""
    with target.open("wb") as image:
        image.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(tree), "-O", "^has_journal", str(target)], check=True, capture_output=True)


def _root_image(suite: str) -> Path:
    image = CACHE / f"vm-{suite}-{_short(PACKAGES + INIT + JOB + UNIT + TARGET)}.img"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "vm-root.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists():
            _make_root_image(suite, image)
        # Another checkout may have another recipe, and a machine of it running.
        os.utime(image)
        for older in CACHE.glob(f"vm-{suite}-*.img"):
            if time.time() - older.stat().st_mtime > KEPT_SECONDS:
                older.unlink()
    return image


def _make_root_image(suite: str, image: Path) -> None:
    _, modules, version = kernel(suite)
    tree, half = CACHE / f"vm-{suite}.rootfs", image.with_suffix(".half")
    shutil.rmtree(tree, ignore_errors=True)
    try:
        rootfs.unpack(rootfs.debootstrap(suite, PACKAGES.split(), f"vm-{suite}-{_short(PACKAGES)}"), tree)
        shutil.copytree(modules, tree / "usr/lib/modules" / version, dirs_exist_ok=True)
        place = tree / "argosy-vm"
        place.mkdir()
        for name, text in (("init", INIT), ("job", JOB)):
            (place / name).write_text(text)
            (place / name).chmod(0o755)
        (tree / "etc/systemd/system/argosy-vm.service").write_text(UNIT)
        (tree / "etc/systemd/system/argosy-vm.target").write_text(TARGET)
        (tree / "etc/fstab").write_text("")
        (tree / "etc/hostname").write_text("vm\n")
        (tree / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        _disk(half, tree, 4096)
        half.rename(image)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
        half.unlink(missing_ok=True)


class VirtualMachine:
    """One machine; each ``run`` is one boot on a fresh root. A disk made by ``add_disk`` is at /data and keeps what it holds."""

    def __init__(self, folder: Path, *, memory: int = 3072, suite: str = "") -> None:
        self.folder = folder
        self.memory = memory
        self.suite = suite or SUITES[sys.version_info[1]]
        self.root = _root_image(self.suite)
        self.image, self.modules, self.version = kernel(self.suite)
        self.initramfs = folder / "initramfs"
        self.data: Path | None = None
        folder.mkdir(parents=True, exist_ok=True)
        _initramfs(self.initramfs, self.modules)

    def add_disk(self, megabytes: int) -> None:
        """Give it a disk with a journal, mounted at /data, that keeps at a power cut what was flushed.

        qcow2: where a fresh cluster lies is in qemu's memory until the guest flushes, so qemu's death loses what was only written.
        """
        self.data = self.folder / "data.qcow2"
        raw = self.folder / "data.raw"
        with raw.open("wb") as image:
            image.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(raw)], check=True, capture_output=True)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(self.data)], check=True, capture_output=True)
        raw.unlink()

    def run(
        self,
        command: str,
        *,
        systemd: bool = False,
        timeout: float = 1800,
        kill_when: Callable[[str], bool] | None = None,
        security: str = "apparmor",
    ) -> Done:
        """Boot, run a bash script in the checkout, power off. ``kill_when`` gets the console so far: True cuts the power at once.

        ``security`` is the kernel's module: apparmor or selinux. Waits while another machine runs here.
        """
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "vm.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self._run(command, systemd, timeout, kill_when, security)

    def _run(self, command: str, systemd: bool, timeout: float, kill_when: Callable[[str], bool] | None, security: str) -> Done:
        self._checkout_disk(command)
        results = self.folder / "results.img"
        with results.open("wb") as image:
            image.truncate(RESULT_BYTES)
        console = self.folder / "console.log"
        console.unlink(missing_ok=True)
        begun = time.monotonic()
        process = subprocess.Popen(self._qemu(results, console, systemd, security), stdin=subprocess.DEVNULL, start_new_session=True)
        killed = False
        try:
            while process.poll() is None and time.monotonic() - begun < timeout:
                if kill_when and console.exists() and kill_when(console.read_text(errors="replace")):
                    killed = True
                    break
                time.sleep(0.05 if kill_when else 0.2)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        return self._done(results, console, time.monotonic() - begun, killed)

    def _checkout_disk(self, command: str) -> None:
        tree = self.folder / "checkout"
        shutil.rmtree(tree, ignore_errors=True)
        rootfs.copy_checkout(CHECKOUT, tree)
        shutil.copytree(CHECKOUT / ".venv", tree / ".venv", symlinks=True)
        # Compiled here: in the machine that takes a minute, at every boot.
        compiler = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", str(CHECKOUT)]
        subprocess.run([*compiler, str(tree / "src"), str(tree / "tests")], check=False, capture_output=True)
        (tree / ".argosy-vm-command").write_text(command)
        _disk(self.folder / "checkout.img", tree, 1024)
        shutil.rmtree(tree)

    def _qemu(self, results: Path, console: Path, systemd: bool, security: str) -> list[str]:
        words = [
            "console=ttyS0",
            "quiet",
            "panic=-1",
            "root=/dev/vda",
            "rw",
            "random.trust_cpu=on",
            f"argosy.checkout={CHECKOUT}",
            f"{security}=1",
            f"security={security}",
        ]
        words += (
            ["argosy.systemd", "systemd.unit=argosy-vm.target", "systemd.show_status=0", "systemd.mask=serial-getty@ttyS0.service"]
            if systemd
            else []
        )
        disks = [(self.root, "snapshot=on"), (self.folder / "checkout.img", "snapshot=on"), (results, "cache=unsafe")]
        if self.data:
            disks.append((self.data, "cache=writeback"))
        command = [
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-cpu",
            "max",
            "-smp",
            "1",
            "-m",
            str(self.memory),
            "-nodefaults",
            "-no-reboot",
        ]
        command += ["-display", "none", "-serial", f"file:{console}", "-device", "virtio-rng-pci", "-kernel", str(self.image)]
        command += ["-initrd", str(self.initramfs), "-append", " ".join(words)]
        for file, options in disks:
            kind = "qcow2" if file.suffix == ".qcow2" else "raw"
            command += ["-drive", f"file={file},format={kind},if=virtio,{options}"]
        return command

    def _done(self, results: Path, console: Path, seconds: float, killed: bool) -> Done:
        folder = self.folder / "results"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        subprocess.run(["tar", "-C", str(folder), "--no-same-owner", "-xf", str(results)], capture_output=True)
        status, output = folder / "status", folder / "output"
        return Done(
            status=int(status.read_text()) if status.exists() else None,
            output=output.read_text(errors="replace") if output.exists() else "",
            console=console.read_text(errors="replace") if console.exists() else "",
            seconds=seconds,
            results=folder,
            killed=killed,
        )
