"""When memory is given back."""

import asyncio
import threading

from argosy.storage.slack import Slack


class Kernel:
    """Counts how often it was given something."""

    def __init__(self) -> None:
        self.times = 0
        self.again = threading.Event()

    def __call__(self) -> None:
        self.times += 1
        self.again.set()


async def test_memory_is_given_back_when_all_work_is_over() -> None:
    kernel = Kernel()
    slack = Slack(kernel, quiet=0)
    with slack.used():
        with slack.used():
            pass
        await asyncio.sleep(0)
        assert slack._timer is None
    await asyncio.to_thread(kernel.again.wait, 10)
    assert kernel.times == 1


async def test_work_that_follows_at_once_puts_it_off() -> None:
    kernel = Kernel()
    slack = Slack(kernel, quiet=3600)
    with slack.used():
        pass
    waiting = slack._timer
    assert waiting is not None
    with slack.used():
        assert waiting.cancelled()
    assert kernel.times == 0
    assert slack._timer is not None
    slack._timer.cancel()
