"""The fixture `world`; see `world.py`."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from argosy.linux import netns, syscall
from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import link as links
from integration.network.world import HOST4, HOST6, INTERNET4, INTERNET6, Namespace, World, configure, end_netd


@pytest.fixture
async def world(root: None, tmp_path: Path) -> AsyncIterator[World]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    host, internet = netns.create(), netns.create()
    world = World(Namespace(host), Namespace(internet), tmp_path)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, home)
        stack.callback(os.close, internet)
        stack.callback(os.close, host)
        with netns.entered(host), NetlinkSocket() as sock:
            sock.run([links.add_veth("up0", 1500, "up1", "02:00:00:00:00:99", internet)])
        configure(host, "up0", f"{HOST4}/24", f"{HOST6}/64")
        configure(internet, "up1", f"{INTERNET4}/24", f"{INTERNET6}/64")
        # The daemon's threads and processes are born where the test's thread is.
        syscall.call("setns", host, netns.CLONE_NEWNET)
        stack.callback(syscall.call, "setns", home, netns.CLONE_NEWNET)
        try:
            yield world
        finally:
            for container in world.containers:
                container.kill()
            for daemon in world.daemons:
                netd = daemon.exec_root / "netd" / "netd.lock"
                await daemon.crash()
                end_netd(netd)
