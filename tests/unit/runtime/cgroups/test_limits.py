import pytest

from argosy.runtime.cgroups.limits import block_weight_to_io, legacy_settings, shares_to_weight, swap_to_unified, unified_settings

RESOURCES = {
    "memory": {"limit": 100 << 20, "swap": 150 << 20, "reservation": 50 << 20, "swappiness": 0, "disableOOMKiller": True},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0-1", "mems": "0"},
    "pids": {"limit": 20},
    "blockIO": {"weight": 300, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1000}]},
    "hugepageLimits": [{"pageSize": "2MB", "limit": 4096}],
}


def values(settings: list) -> dict[str, str]:  # type: ignore[type-arg]
    return {setting.file: setting.value for setting in settings}


def test_v1_files() -> None:
    assert values(legacy_settings(RESOURCES)) == {
        "memory.limit_in_bytes": str(100 << 20),
        "memory.memsw.limit_in_bytes": str(150 << 20),
        "memory.soft_limit_in_bytes": str(50 << 20),
        "memory.swappiness": "0",
        "memory.oom_control": "1",
        "cpu.shares": "512",
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "50000",
        "cpuset.cpus": "0-1",
        "cpuset.mems": "0",
        "pids.max": "20",
        "blkio.bfq.weight|blkio.weight": "300",
        "blkio.throttle.read_bps_device": "8:0 1000",
        "hugetlb.2MB.limit_in_bytes": "4096",
    }


def test_v2_files() -> None:
    assert values(unified_settings(RESOURCES)) == {
        "memory.max": str(100 << 20),
        "memory.swap.max": str(50 << 20),
        "memory.low": str(50 << 20),
        "cpu.weight": "20",
        "cpu.max": "50000 100000",
        "cpuset.cpus": "0-1",
        "cpuset.mems": "0",
        "pids.max": "20",
        "io.bfq.weight|io.weight": "300",
        "io.max": "8:0 rbps=1000",
        "hugetlb.2MB.max": "4096",
    }


def test_nothing_asked_is_nothing_written() -> None:
    empty = {"memory": {"disableOOMKiller": False}, "cpu": {}, "blockIO": {}, "pids": {"limit": 0}}
    assert legacy_settings(empty) == []
    assert unified_settings(empty) == []


def test_minus_one_is_unlimited() -> None:
    assert values(legacy_settings({"pids": {"limit": -1}, "memory": {"limit": -1}})) == {"pids.max": "max", "memory.limit_in_bytes": "-1"}
    assert values(unified_settings({"pids": {"limit": -1}, "memory": {"limit": -1}, "cpu": {"quota": -1}})) == {
        "pids.max": "max",
        "memory.max": "max",
        "memory.swap.max": "max",
        "cpu.max": "max",
    }


@pytest.mark.parametrize(
    ("limit", "swap", "expected"), [(100, 150, 50), (100, 100, 0), (0, 0, None), (100, 0, None), (-1, 0, "max"), (100, -1, "max")]
)
def test_memory_and_swap_together_become_swap_alone(limit: int, swap: int, expected: object) -> None:
    assert swap_to_unified(limit, swap) == expected


@pytest.mark.parametrize(("limit", "swap"), [(0, 100), (-1, 100), (200, 100)])
def test_swap_needs_a_smaller_memory_limit(limit: int, swap: int) -> None:
    with pytest.raises(ValueError):
        swap_to_unified(limit, swap)


def test_weights_cover_the_whole_range() -> None:
    assert (shares_to_weight(2), shares_to_weight(1024), shares_to_weight(262144)) == (1, 39, 10000)
    assert (block_weight_to_io(10), block_weight_to_io(1000)) == (1, 10000)


def test_a_unified_file_name_cannot_leave_the_cgroup() -> None:
    with pytest.raises(ValueError, match="without any slashes"):
        unified_settings({"unified": {"../memory.max": "1"}})
