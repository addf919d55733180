"""The wrappers against the recording kernel: what they ask, and how they fail."""

import errno
import os

import pytest

from argosy.linux import capabilities, mount, process, syscall
from argosy.linux.fake import recording
from argosy.linux.overlay import open_overlay


def test_a_failing_call_names_itself_and_the_path() -> None:
    with recording() as kernel:
        kernel.errors["umount2"] = errno.EBUSY
        with pytest.raises(OSError) as caught:
            mount.unmount(b"/mnt/x")
    assert caught.value.errno == errno.EBUSY
    assert caught.value.filename == b"/mnt/x"
    assert str(caught.value) == "umount2 /mnt/x: device or resource busy"


def test_the_kernel_is_back_after_recording() -> None:
    with recording():
        assert syscall.call("umount2", b"/", 0) == 0
    with pytest.raises(OSError):
        syscall.call("umount2", b"/nowhere-at-all", 0)


def test_layers_go_one_by_one_where_the_kernel_takes_them() -> None:
    with recording() as kernel:
        open_overlay((b"/l2", b"/l1"), b"/up", b"/work", lowerdir_plus=True)
    keys = [args[2:4] for name, args in kernel.calls if name == "fsconfig" and args[1] == 1]
    layers = [(b"lowerdir+", b"/l2"), (b"lowerdir+", b"/l1"), (b"upperdir", b"/up"), (b"workdir", b"/work")]
    assert keys == [(b"source", b"overlay"), *layers, (b"redirect_dir", b"off"), (b"metacopy", b"off")]


def test_many_layers_on_an_older_kernel_are_mounted_by_short_relative_paths(tmp_path: os.PathLike[str]) -> None:
    base = os.fsencode(tmp_path)
    lower = tuple(base + b"/layers/%d" % number for number in range(40))
    (os.makedirs(base + b"/up"), os.makedirs(base + b"/work"))
    with recording() as kernel:
        open_overlay(lower, base + b"/up", base + b"/work", lowerdir_plus=False, scratch=b"/scratch")
    (data,) = [args[4] for name, args in kernel.calls if name == "mount"]
    assert isinstance(data, bytes)
    assert data.startswith(b"lowerdir=layers/0:layers/1:")
    assert data.endswith(b",upperdir=up,workdir=work,redirect_dir=off,metacopy=off")
    assert kernel.names()[-2:] == ["open_tree", "umount2"]


def test_options_that_do_not_fit_are_refused_before_the_kernel_cuts_them(tmp_path: os.PathLike[str]) -> None:
    base = os.fsencode(tmp_path)
    lower = tuple(base + b"/" + b"%0200d" % number for number in range(40))
    with recording(), pytest.raises(ValueError, match="40 layers need"):
        open_overlay(lower, base + b"/u", base + b"/w", lowerdir_plus=False, scratch=b"/s")


def test_a_limit_that_may_not_be_raised_is_clamped() -> None:
    tries: list[int] = []

    def prlimit(args: tuple[object, ...]) -> int:
        if args[2] is None:
            return 0
        tries.append(1)
        if len(tries) == 1:
            import ctypes

            ctypes.set_errno(errno.EPERM)
            return -1
        return 0

    with recording() as kernel:
        kernel.answers["prlimit64"] = prlimit
        assert process.set_limit(7, 1 << 30, 1 << 30) is False
    assert len(tries) == 2


def test_only_what_is_outside_the_mask_leaves_the_bounding_set() -> None:
    with recording() as kernel:
        capabilities.limit_bounding(capabilities.to_mask(["CAP_CHOWN", "CAP_KILL"]), 7)
    dropped = [args[1] for name, args in kernel.calls if name == "prctl"]
    assert dropped == [1, 2, 3, 4, 6, 7]


def test_masks_and_names_are_inverse() -> None:
    names = ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"]
    assert capabilities.from_mask(capabilities.to_mask(names)) == names


def test_everything_but_the_kept_fds_is_closed() -> None:
    with recording() as kernel:
        process.close_all_but([5, 0, 1, 2, 9])
    assert [args[:2] for _, args in kernel.calls] == [(3, 4), (6, 8), (10, 0xFFFFFFFF)]
