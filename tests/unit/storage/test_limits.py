import pytest

from argosy.base.errors import InvalidParameterError
from argosy.storage.limits import Limits

MB, GB = 1 << 20, 1 << 30


def test_what_real_layers_do_passes():
    Limits().check(3 * GB, 1 * GB)
    Limits().check(1 * GB, 1)
    Limits().check(499 * 10 * MB, 10 * MB)


def test_ten_gigabytes_from_ten_kilobytes_are_refused_with_the_way_out():
    with pytest.raises(
        InvalidParameterError, match=r"10.24kB of the archive unpack to more than 1.074GB, over 500 times as much: .* --max-archive-ratio"
    ):
        Limits().check(10 * GB, 10 << 10)


def test_a_size_holds_whatever_the_ratio():
    with pytest.raises(InvalidParameterError, match=r"holds more than 1\.049MB, the limit of --max-archive-size"):
        Limits(size=MB).check(MB + 1, MB)
    Limits(size=MB).check(MB, 1)


def test_zero_is_no_limit():
    assert Limits(0, 0).most(1) == 0
    Limits(0, 0).check(1 << 60, 1)
