"""HTML from facts. Pure; every word that somebody else chose goes through `text`."""

import html
import time
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlencode

from argosy.base.ids import short
from argosy.base.units import human_size
from argosy.registry.page.facts import ImageFacts, LayerRow, RepositoryRow, TagRow
from argosy.registry.page.style import LOGO, STYLE

_UNITS = ((31_536_000, "year"), (2_592_000, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))


def text(value: object) -> str:
    return html.escape(str(value), quote=True)


def ago(then: float, now: float) -> str:
    """Return ``3 days ago``."""
    passed = now - then
    for seconds, unit in _UNITS:
        if passed >= seconds:
            count = int(passed // seconds)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def document(title: str, body: str, *, user: str, may_log_in: bool) -> bytes:
    """Return a whole page."""
    who = text(user) if user else ('<a href="/?login">Log in</a>' if may_log_in else "")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>"
        f'<header><div><a class="home" href="/">{LOGO}<span>Argosy Registry</span></a><span class="who">{who}</span></div></header>'
        f"<main>{body}</main></body></html>\n"
    ).encode()


def _moment(then: float, now: float) -> str:
    if not then:
        return '<span class="quiet">never</span>'
    exact = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(then))
    return f'<time title="{exact}">{ago(then, now)}</time>'


def _table(heads: Sequence[str], rows: Iterable[str], empty: str) -> str:
    lines = list(rows)
    if not lines:
        return f'<div class="card"><div class="empty">{empty}</div></div>'
    cells = "".join(f'<th class="n">{head[1:]}</th>' if head.startswith(">") else f"<th>{head}</th>" for head in heads)
    return f'<div class="card"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def repositories(rows: Sequence[RepositoryRow], *, total: int, host: str, wanted: str, following: str, now: float) -> str:
    """Return the list of repositories; ``following`` is the last name shown where more come, ``wanted`` what was searched for."""
    search = (
        f'<form class="search" action="/"><input type="search" name="q" value="{text(wanted)}" placeholder="Search repositories" '
        'aria-label="Search repositories"><button>Search</button></form>'
    )
    lines = (
        f'<tr><td class="name"><a href="/r/{quote(row.name)}">{text(row.name)}</a></td><td class="n">{row.tags}</td>'
        f'<td class="n">{human_size(row.size)}</td><td class="n quiet">{_moment(row.pushed, now)}</td></tr>'
        for row in rows
    )
    empty = (
        f"No repository is called like “{text(wanted)}”."
        if wanted
        else f"Nothing here yet.<br><br><code>docker push {text(host)}/NAME:TAG</code>"
    )
    more = (
        f'<nav class="pages"><span></span><a href="/?{text(urlencode({"q": wanted, "last": following}))}">Next →</a></nav>'
        if following
        else ""
    )
    count = f"{total} {'repository' if total == 1 else 'repositories'}"
    return f'<h1>Repositories</h1><p class="sub">{count}</p>{search}{_table(("Name", ">Tags", ">Size", ">Last push"), lines, empty)}{more}'


def repository(name: str, rows: Sequence[TagRow], *, host: str, secret: str, note: str, now: float) -> str:
    """Return a repository's tags; ``secret`` goes with a deletion, without one none can be asked for."""
    first = f":{rows[0].tag}" if rows else ""
    lines = (
        f'<tr><td class="name"><a href="/r/{quote(name)}:{quote(row.tag)}">{text(row.tag)}</a></td>'
        f"<td>{_pills(row)}</td><td><code>{text(short(row.digest))}</code></td>"
        f'<td class="n">{human_size(row.size)}</td><td class="n quiet">{_moment(row.pushed, now)}</td>'
        f"<td>{_deletion(name, row.tag, secret)}</td></tr>"
        for row in rows
    )
    shown = f'<p class="note">{text(note)}</p>' if note else ""
    count = f"{len(rows)} {'tag' if len(rows) == 1 else 'tags'}"
    table = _table(("Tag", "Platform", "Digest", ">Size", ">Pushed", ""), lines, "No tags. What was pushed by digest is still there.")
    return f'<h1>{text(name)}</h1><p class="sub">{count}</p>{shown}<pre>docker pull {text(host)}/{text(name)}{text(first)}</pre>{table}'


def _pills(row: TagRow) -> str:
    words = [*row.platforms] if row.kind != "artifact" else ["artifact"]
    if row.referrers:
        words.append(f"{row.referrers} attached")
    return "".join(f'<span class="pill">{text(word)}</span>' for word in words if word)


def _deletion(name: str, tag: str, secret: str) -> str:
    if not secret:
        return ""
    return (
        f'<details class="delete"><summary>Delete…</summary><form method="post" action="/r/{quote(name)}">'
        f'<input type="hidden" name="tag" value="{text(tag)}"><input type="hidden" name="secret" value="{text(secret)}">'
        f'<button class="bad">Delete {text(tag)}</button></form></details>'
    )


def image(name: str, tag: str, facts: ImageFacts, *, host: str) -> str:
    """Return one tag: what it is made of."""
    body = (
        f'<p class="sub"><a href="/r/{quote(name)}">{text(name)}</a></p><h1>{text(name)}:{text(tag)}</h1>'
        f'<p class="sub"><code>{text(facts.digest)}</code></p><pre>docker pull {text(host)}/{text(name)}:{text(tag)}</pre>'
    )
    if facts.images:
        for one in facts.images:
            body += f"<h2>{text(one.platform or 'Manifest')} <span class=quiet>· {human_size(one.size)}</span></h2>{_parts(one)}"
        return body + _annotations(facts)
    return (
        body
        + f"<h2>{text(facts.platform or 'Content')} <span class=quiet>· {human_size(facts.size)}</span></h2>{_parts(facts)}"
        + _annotations(facts)
    )


def _parts(facts: ImageFacts) -> str:
    return _settings(facts) + _table(("Layer", "Made by", ">Size"), map(_layer, facts.layers), "No layers.")


def _layer(row: LayerRow) -> str:
    made_by = f"<code>{text(row.made_by[:300])}</code>" if row.made_by else f'<span class="quiet">{text(row.media_type)}</span>'
    digest = f'<code title="{text(row.digest)}">{text(short(row.digest))}</code>'
    return f'<tr><td>{digest}</td><td>{made_by}</td><td class="n">{human_size(row.size)}</td></tr>'


def _settings(facts: ImageFacts) -> str:
    config = facts.config.get("config") or {}
    if not isinstance(config, dict):
        return ""
    rows = [("Created", facts.config.get("created"))]
    rows += [(key, config.get(key)) for key in ("Entrypoint", "Cmd", "User", "WorkingDir")]
    rows += [("Ports", ", ".join(config.get("ExposedPorts") or {})), ("Environment", config.get("Env"))]
    shown = [
        f"<dt>{key}</dt><dd>{''.join(f'<code>{text(item)}</code> ' for item in (value if isinstance(value, list) else [value]))}</dd>"
        for key, value in rows
        if value
    ]
    return f'<div class="card"><dl>{"".join(shown)}</dl></div><br>' if shown else ""


def _annotations(facts: ImageFacts) -> str:
    if not facts.annotations:
        return ""
    rows = "".join(f"<dt>{text(key)}</dt><dd>{text(value)}</dd>" for key, value in facts.annotations.items())
    return f'<h2>Annotations</h2><div class="card"><dl>{rows}</dl></div>'
