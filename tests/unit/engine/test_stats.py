"""``docker stats``: shape and rhythm."""

import os

from argosy.engine import stats as measuring
from argosy.engine.stats import Reading, parse_net_dev, parse_proc_stat, shape, stats, take

NET_DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:     996       8    1    2    0     0          0         0      126       3    4    5    0     0       0          0
"""
SAMPLE = {
    "cpu_stats": {"cpu_usage": {"total_usage": 5, "usage_in_kernelmode": 1, "usage_in_usermode": 4}},
    "memory_stats": {"usage": 10, "max_usage": 0, "failcnt": 0, "limit": 1 << 62, "stats": {"cache": 1}},
    "blkio_stats": {"io_service_bytes_recursive": []},
    "pids_stats": {"current": 1, "limit": 0},
}


def reading(time=1, total=5):
    return Reading(time, {"cpu_usage": {"total_usage": total}}, {"usage": 1}, {}, {"current": 1}, {"eth0": {"rx_bytes": 1}})


async def run(readings, *, stream, one_shot=False, count=9):
    pauses, left = [], list(readings)

    async def pause(seconds):
        pauses.append(seconds)

    found = []
    async for message in stats(
        container_id="i",
        name=lambda: "n",
        read=lambda: left.pop(0),
        present=lambda: (len(found) < count and bool(left)) or not found,
        stream=stream,
        one_shot=one_shot,
        pause=pause,
    ):
        found.append(message)
    return found, pauses


def test_interfaces_but_the_loopback_are_counted():
    assert parse_net_dev(NET_DEV) == {
        "eth0": {
            "rx_bytes": 996, "rx_packets": 8, "rx_errors": 1, "rx_dropped": 2,
            "tx_bytes": 126, "tx_packets": 3, "tx_errors": 4, "tx_dropped": 5,
        }
    }  # fmt: skip
    assert measuring.network_counters(os.getpid()).keys() == parse_net_dev(open("/proc/net/dev").read()).keys()
    assert measuring.network_counters(2**22 + 1) == {}


def test_the_machines_time_is_the_sum_of_seven_columns():
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert parse_proc_stat("cpu  1 2 3 4 5 6 7 80 90 100\ncpu0 1\ncpu1 1\nintr 5\n") == (28 * tick, 2)


def test_an_unlimited_container_is_limited_by_the_machine():
    found = take(SAMPLE, None, 7, (100, 2), memory_total=1000)
    assert found.memory == {"usage": 10, "limit": 1000, "stats": {"cache": 1}}
    assert found.pids == {"current": 1}
    assert found.cpu["system_cpu_usage"] == 100 and found.cpu["online_cpus"] == 2
    assert found.cpu["throttling_data"] == {"periods": 0, "throttled_periods": 0, "throttled_time": 0}
    limited = {**SAMPLE, "memory_stats": {"usage": 1, "limit": 500}}
    assert take(limited, None, 7, (100, 2), memory_total=1000).memory["limit"] == 500


def test_a_stopped_container_has_dockers_zeros():
    message = shape("i", "n", None, None)
    assert message["name"] == "/n" and message["read"] == message["preread"] == "0001-01-01T00:00:00Z"
    assert message["memory_stats"] == {} and message["pids_stats"] == {} and "networks" not in message
    assert message["cpu_stats"] == {
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }
    assert message["blkio_stats"]["sectors_recursive"] is None and len(message["blkio_stats"]) == 8


async def test_one_reading_compares_with_a_second_ago():
    found, pauses = await run([reading(1, 5), reading(2, 9)], stream=False)
    assert pauses == [1.0] and len(found) == 1
    assert found[0]["cpu_stats"]["cpu_usage"]["total_usage"] == 9
    assert found[0]["precpu_stats"]["cpu_usage"]["total_usage"] == 5
    assert found[0]["preread"].endswith("00.000000001Z")


async def test_one_shot_does_not_wait():
    found, pauses = await run([reading()], stream=False, one_shot=True)
    assert pauses == [] and found[0]["preread"] == "0001-01-01T00:00:00Z"


async def test_one_reading_of_a_stopped_container_does_not_wait():
    found, pauses = await run([None], stream=False)
    assert pauses == [] and found[0]["read"] == "0001-01-01T00:00:00Z"


async def test_a_container_that_ends_meanwhile_has_zeros():
    found, _ = await run([reading(), None], stream=False)
    assert found[0]["memory_stats"] == {} and found[0]["preread"] == "0001-01-01T00:00:00Z"


async def test_a_stream_goes_on_until_the_container_is_removed():
    found, pauses = await run([reading(1, 5), reading(2, 9), None, reading(4, 1)], stream=True, count=4)
    assert [message["cpu_stats"]["cpu_usage"]["total_usage"] for message in found] == [5, 9, 0]
    assert [message["precpu_stats"]["cpu_usage"]["total_usage"] for message in found] == [0, 5, 0]
    assert pauses == [1.0] * 3
