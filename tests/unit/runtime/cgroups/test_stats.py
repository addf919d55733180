from pathlib import Path

from argosy.runtime.cgroups import legacy_stats, unified_stats
from argosy.runtime.cgroups.files import machine_memory


def fill(path: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (path / name).write_text(text)
    return str(path)


def test_v2_counters_in_the_apis_names(tmp_path: Path) -> None:
    home = fill(
        tmp_path,
        {
            "cpu.stat": "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 1\nnr_throttled 1\nthrottled_usec 4\n",
            "memory.current": "4096\n",
            "memory.max": "max\n",
            "memory.stat": "anon 10\nfile 20\n",
            "memory.events": "low 0\noom 2\noom_kill 1\n",
            "io.stat": "8:0 rbytes=4096 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n",
            "pids.current": "3\n",
            "pids.max": "max\n",
        },
    )
    sample = unified_stats.sample(home)
    assert sample["cpu_stats"]["cpu_usage"] == {"total_usage": 5000, "usage_in_kernelmode": 2000, "usage_in_usermode": 3000}
    assert sample["cpu_stats"]["throttling_data"] == {"periods": 1, "throttled_periods": 1, "throttled_time": 4000}
    assert sample["memory_stats"] == {"usage": 4096, "stats": {"anon": 10, "file": 20}, "limit": machine_memory(), "failcnt": 2}
    assert sample["blkio_stats"]["io_service_bytes_recursive"] == [
        {"major": 8, "minor": 0, "op": "read", "value": 4096},
        {"major": 8, "minor": 0, "op": "write", "value": 1},
    ]
    assert sample["pids_stats"] == {"current": 3, "limit": (1 << 64) - 1}


def test_v1_counters_in_the_apis_names(tmp_path: Path) -> None:
    home = fill(
        tmp_path,
        {
            "cpuacct.usage": "900\n",
            "cpuacct.usage_percpu": "400 500 \n",
            "cpuacct.stat": "user 2\nsystem 1\n",
            "cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
            "memory.usage_in_bytes": "4096\n",
            "memory.max_usage_in_bytes": "8192\n",
            "memory.failcnt": "0\n",
            "memory.limit_in_bytes": "65536\n",
            "memory.stat": "cache 1\n",
            "blkio.throttle.io_service_bytes": "8:0 Read 10\n8:0 Total 10\nTotal 10\n",
            "pids.current": "1\n",
            "pids.max": "max\n",
        },
    )
    sample = legacy_stats.sample(lambda controller: home)
    usage = sample["cpu_stats"]["cpu_usage"]
    assert usage["total_usage"] == 900
    assert usage["percpu_usage"] == [400, 500]
    assert usage["usage_in_usermode"] == 20_000_000
    assert sample["memory_stats"] == {"usage": 4096, "max_usage": 8192, "limit": 65536, "stats": {"cache": 1}}
    assert sample["blkio_stats"]["io_service_bytes_recursive"][0] == {"major": 8, "minor": 0, "op": "Read", "value": 10}
    assert sample["pids_stats"] == {"current": 1}


def test_a_vanished_group_is_zeros_not_an_error(tmp_path: Path) -> None:
    assert unified_stats.sample(str(tmp_path / "gone"))["memory_stats"] == {}
    assert legacy_stats.sample(lambda controller: None)["cpu_stats"]["cpu_usage"]["total_usage"] == 0
