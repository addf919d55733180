"""Other people's forward chains that would drop what we let through, and the marked accept rules for them; pure.

Policy ``open`` is Docker's behaviour: published ports work though ufw, firewalld, another container engine or plain FORWARD
drops. Each rule accepts one of our bridges by name and carries our table's name as its comment, so that it is found again
and taken out. What may reach a bridge at all is decided in our own table; nothing more is let in by these.

Rules are no more than ``iifname "x" accept comment "…"``: iptables-nft calls a table with an expression that it does not know
(``ct status``, a set) incompatible, and then its owner can no longer list it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Chain = tuple[str, str, str]
"""Family, table, name."""


@dataclass(frozen=True, slots=True)
class _Rule:
    handle: int
    comment: str
    expression: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """``nft -j list ruleset``, as far as it matters here."""

    forward: tuple[tuple[Chain, bool], ...]
    """Base chains on the forward hook; whether their policy is drop."""
    rules: Mapping[Chain, tuple[_Rule, ...]]


def parse(listing: Mapping[str, Any]) -> Ruleset:
    forward = []
    rules: dict[Chain, list[_Rule]] = {}
    for entry in listing.get("nftables", ()):
        if (chain := entry.get("chain")) and chain["family"] in ("ip", "ip6", "inet"):
            key = (chain["family"], chain["table"], chain["name"])
            rules.setdefault(key, [])
            if chain.get("hook") == "forward" and chain.get("type") == "filter":
                forward.append((key, chain.get("policy") == "drop"))
        elif (rule := entry.get("rule")) and rule["family"] in ("ip", "ip6", "inet"):
            key = (rule["family"], rule["table"], rule["chain"])
            rules.setdefault(key, []).append(_Rule(rule["handle"], rule.get("comment", ""), tuple(rule.get("expr", ()))))
    return Ruleset(tuple(forward), {key: tuple(found) for key, found in rules.items()})


def _verdict(rule: _Rule) -> tuple[str, str, bool]:
    """Return (drop, reject, jump, goto or nothing; the chain gone to; whether every packet takes it)."""
    kind, target, always = "", "", True
    for expression in rule.expression:
        for name, value in expression.items():
            if name in ("drop", "reject"):
                kind = name
            elif name in ("jump", "goto"):
                kind, target = name, value["target"]
            elif name not in ("counter", "log"):
                # A match, a limit, or an xtables extension that nft cannot read: not every packet.
                always = False
    return kind, target, always


def _ends(ruleset: Ruleset, chain: Chain, seen: frozenset[Chain]) -> _Rule | None:
    """Return the first rule of the chain behind which nothing gets through."""
    for rule in ruleset.rules.get(chain, ()):
        kind, target, always = _verdict(rule)
        if kind in ("drop", "reject") and always:
            return rule
        # firewalld sends each zone's links to a chain of its own; elsewhere a conditional jump is somebody's black list.
        if kind in ("jump", "goto") and (always or chain[1] == "firewalld"):
            inner = (chain[0], chain[1], target)
            if inner not in seen and _ends(ruleset, inner, seen | {inner}) is not None:
                return rule
    return None


def dropping(ruleset: Ruleset) -> dict[Chain, int]:
    """Return the forward chains that end in a drop → handle of the rule that does it, 0 where the policy does."""
    found = {}
    for chain, policy_drops in ruleset.forward:
        if chain[1].startswith("argosy-"):
            continue
        last = _ends(ruleset, chain, frozenset({chain}))
        if last is not None:
            found[chain] = last.handle
        elif policy_drops:
            found[chain] = 0
    return found


def _texts(bridges: Iterable[str]) -> list[str]:
    return [f'{side} "{bridge}" accept' for bridge in sorted(bridges) for side in ("iifname", "oifname")]


def _text(rule: _Rule) -> str:
    """Return one of our own rules as `_texts` writes it; something else if it was altered."""
    if len(rule.expression) == 2 and "match" in rule.expression[0] and "accept" in rule.expression[1]:
        match = rule.expression[0]["match"]
        return f'{match["left"].get("meta", {}).get("key")} "{match["right"]}" accept'
    return ""


def adjust(listing: Mapping[str, Any], tag: str, bridges: Iterable[str]) -> str:
    """Return the transaction that makes the marked rules in all dropping chains exactly those for ``bridges``; empty: they are."""
    ruleset = parse(listing)
    wanted = _texts(bridges)
    drops = dropping(ruleset)
    lines: list[str] = []
    for chain, rules in sorted(ruleset.rules.items()):
        where = f"{chain[0]} {chain[1]} {chain[2]}"
        own = [rule for rule in rules if rule.comment == tag]
        here = wanted if chain in drops else []
        if [_text(rule) for rule in own] == here and _before(own, rules, drops.get(chain, 0)):
            continue
        lines.extend(f"delete rule {where} handle {rule.handle}" for rule in own)
        for text in here:
            verb = f"insert rule {where} position {drops[chain]}" if drops[chain] else f"add rule {where}"
            lines.append(f'{verb} {text} comment "{tag}"')
    return "\n".join(lines) + "\n" if lines else ""


def _before(own: list[_Rule], rules: tuple[_Rule, ...], handle: int) -> bool:
    """Whether our rules still stand before the one that drops."""
    if not handle or not own:
        return True
    order = [rule.handle for rule in rules]
    return order.index(own[-1].handle) < order.index(handle)
