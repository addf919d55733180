"""The host's tables made equal to what `rules` says, and kept so when somebody flushes them.

All of it runs in the one kernel thread that the controller gives (`run`): libnftables contexts are not for two threads, and
the event loop never waits for the kernel's nftables lock.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink.codec import Request, attributes
from argosy.linux.netlink.socket import NETLINK_NETFILTER
from argosy.linux.nftables import Nftables, NftError
from argosy.network.firewall import foreign, rules
from argosy.network.firewall.rules import Elements

_log = logging.getLogger(__name__)
T = TypeVar("T")
InThread = Callable[..., Awaitable[Any]]

_NFNLGRP_NFTABLES = 7
_NFNL_SUBSYS_NFTABLES = 10
_NFT_MSG_NEWGEN = 15
_NFT_MSG_GETGEN = 16
_NFTA_GEN_ID = 1
_NFTA_GEN_PROC_PID = 2
_SETTLE = 0.1
_EVERY = 5.0


class FirewallTable:
    """Our ``inet`` and ``bridge`` tables of one daemon. Off (``enabled=False``): every method does nothing."""

    def __init__(self, *, daemon: str, run: InThread, enabled: bool, open_foreign: bool) -> None:
        self.name = rules.table_name(daemon)
        self.enabled = enabled
        self._run = run
        self._open_foreign = open_foreign
        self._elements: Elements = frozenset()
        self._bridges: frozenset[str] = frozenset()
        self._skeleton: tuple[str, ...] = ()
        self._text: Nftables | None = None
        self._json: Nftables | None = None
        self._watch: NetlinkSocket | None = None
        self._wake = asyncio.Event()
        self._seen = -1
        self._asking: NetlinkSocket | None = None

    async def install(self, elements: Elements, bridges: Iterable[str]) -> None:
        """Make the tables exactly this; leave them alone if they are already, as after a restart of the daemon."""
        self._elements, self._bridges = elements, frozenset(bridges)
        if self.enabled:
            await self._run(self._install)

    async def apply(self, add: Elements = frozenset(), remove: Elements = frozenset()) -> None:
        """Put elements in and take others out, in one transaction."""
        await self._run(self.apply_here, add, remove)

    def apply_here(self, add: Elements, remove: Elements) -> None:
        """`apply` for code that is in the kernel thread already. Raises NftError."""
        remove = (remove & self._elements) - add
        add = add - self._elements
        wanted = (self._elements - remove) | add
        if not self.enabled or wanted == self._elements:
            self._elements = wanted
            return
        previous, self._elements = self._elements, wanted
        try:
            self._contexts()[0].run(rules.change(self.name, add, remove))
        except NftError:
            # Somebody took the table, or an element of it, away in between: make it whole.
            try:
                self._rebuild()
            except NftError:
                self._elements = previous
                raise

    async def set_bridges(self, bridges: Iterable[str]) -> None:
        """Say which bridges other people's forward chains should let through."""
        self._bridges = frozenset(bridges)
        if self.enabled and self._open_foreign:
            await self._run(self._adjust_foreign)

    async def remove(self) -> None:
        """Take our tables and marked rules away."""
        self._elements, self._bridges = frozenset(), frozenset()
        if self.enabled:
            await self._run(self._remove)

    async def verify(self) -> bool:
        """Compare with the kernel and rebuild what differs; return whether anything did."""
        return bool(self.enabled and await self._run(self._verify))

    def close(self) -> None:
        for context in (self._text, self._json):
            if context is not None:
                context.close()
        self._text = self._json = None
        if self._asking is not None:
            self._asking.close()
            self._asking = None
        if self._watch is not None:
            asyncio.get_running_loop().remove_reader(self._watch.fileno())
            self._watch.close()
            self._watch = None

    async def watch(self) -> None:
        """For ever: repair what somebody else changed, at once when the kernel tells of it, and every few seconds anyway."""
        if not self.enabled:
            return
        self._watch = NetlinkSocket(NETLINK_NETFILTER)
        self._watch.join(_NFNLGRP_NFTABLES)
        asyncio.get_running_loop().add_reader(self._watch.fileno(), self._changed)
        await self._run(self._generation_moved)
        while True:
            try:
                async with asyncio.timeout(_EVERY):
                    await self._wake.wait()
                # Firewalls reload in many transactions; one look after the last of a burst is enough.
                await asyncio.sleep(_SETTLE)
            except TimeoutError:
                if not await self._run(self._generation_moved):
                    continue
            self._wake.clear()
            try:
                if await self.verify():
                    _log.warning("the packet rules of table %s had been changed by somebody else: put back", self.name)
            except NftError as error:
                _log.error("cannot put back the packet rules of table %s: %s", self.name, error)

    # ------------------------------------------------------------------ the loop's side of the watch

    def _changed(self) -> None:
        assert self._watch is not None
        try:
            replies = self._watch.receive()
        except OSError:
            # ENOBUFS: more happened than the socket could hold; so look.
            self._wake.set()
            return
        for reply in replies:
            if reply.type & 0xFF == _NFT_MSG_NEWGEN:
                process = attributes(reply.body[4:]).get(_NFTA_GEN_PROC_PID)
                if process is None or int.from_bytes(process, "big") != os.getpid():
                    self._wake.set()

    # ------------------------------------------------------------------ in the kernel thread

    def _contexts(self) -> tuple[Nftables, Nftables]:
        if self._text is None or self._json is None:
            self._text, self._json = Nftables(), Nftables(json=True)
        return self._text, self._json

    def _list(self) -> dict[str, Any] | None:
        found: dict[str, Any] = {"nftables": []}
        try:
            for family in ("inet", "bridge"):
                found["nftables"] += json.loads(self._contexts()[1].run(f"list table {family} {self.name}"))["nftables"]
        except NftError:
            return None
        return found

    def _install(self) -> None:
        listing = self._list()
        # A table left by the daemon before this one: its chains may be an older version's, so it is compared with a fresh one.
        if listing is None or rules.found_elements(listing) != rules.unquoted(self._elements) or not self._same_skeleton(listing):
            self._rebuild()
        else:
            self._skeleton = rules.skeleton(listing)
        self._adjust_foreign()

    def _same_skeleton(self, listing: dict[str, Any]) -> bool:
        """Compare with a table of the same chains under another name that is made and gone in this function."""
        trial = self.name + "-trial"
        text, as_json = self._contexts()
        text.run(rules.script(trial, frozenset()))
        try:
            fresh: dict[str, Any] = {"nftables": []}
            for family in ("inet", "bridge"):
                fresh["nftables"] += json.loads(as_json.run(f"list table {family} {trial}").replace(trial, self.name))["nftables"]
        finally:
            text.run(rules.remove_script(trial))
        return rules.skeleton(fresh) == rules.skeleton(listing)

    def _rebuild(self) -> None:
        self._contexts()[0].run(rules.script(self.name, self._elements))
        listing = self._list()
        self._skeleton = rules.skeleton(listing) if listing is not None else ()

    def _verify(self) -> bool:
        listing = self._list()
        wrong = (
            listing is None or rules.skeleton(listing) != self._skeleton or rules.found_elements(listing) != rules.unquoted(self._elements)
        )
        if wrong:
            self._rebuild()
        return self._adjust_foreign() or wrong

    def _adjust_foreign(self) -> bool:
        if not self._open_foreign:
            return False
        text, as_json = self._contexts()
        script = foreign.adjust(json.loads(as_json.run("list ruleset")), self.name, self._bridges)
        if script:
            text.run(script)
        return bool(script)

    def _remove(self) -> None:
        self._adjust_foreign()
        self._contexts()[0].run(rules.remove_script(self.name))

    def _generation_moved(self) -> bool:
        """Whether anything was committed since the last look, in case its notice was lost. Cheap: no rules are listed."""
        if self._asking is None:
            self._asking = NetlinkSocket(NETLINK_NETFILTER)
        generation = _generation(self._asking)
        moved, self._seen = self._seen not in (-1, generation), generation
        return moved


def _generation(sock: NetlinkSocket) -> int:
    reply = sock.get(Request((_NFNL_SUBSYS_NFTABLES << 8) | _NFT_MSG_GETGEN, 0, bytes(4), "get nftables generation"))
    number = attributes(reply.body[4:]).get(_NFTA_GEN_ID)
    return int.from_bytes(number, "big") if number else 0
