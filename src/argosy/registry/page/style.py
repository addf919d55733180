"""The page's one style sheet; it is part of the page, so nothing else has to be fetched."""

STYLE = """
:root { --ink: #16202a; --soft: #5b6b7a; --line: #dde4ea; --ground: #f5f7f9; --card: #fff; --accent: #0b6e7f; --bad: #b3261e;
  --mono: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e9ee; --soft: #94a3b1; --line: #2b3742; --ground: #10171d; --card: #18222b; --accent: #55b9c9; --bad: #f2796f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
header { background: var(--card); border-bottom: 1px solid var(--line); }
header > div, main { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header > div { display: flex; gap: 1rem; align-items: center; height: 3.5rem; }
header a.home { display: flex; gap: .6rem; align-items: center; font-weight: 650; color: var(--ink); }
header svg { width: 1.6rem; height: 1.6rem; color: var(--accent); }
header .who { margin-left: auto; color: var(--soft); font-size: .9rem; }
main { padding-top: 1.75rem; padding-bottom: 4rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
h1 { font-size: 1.45rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
p.sub { margin: 0 0 1.25rem; color: var(--soft); overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 550; font-size: .82rem; color: var(--soft); padding: .6rem 1rem; white-space: nowrap; }
td { padding: .6rem 1rem; border-top: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.name { font-weight: 550; overflow-wrap: anywhere; } td.quiet, .quiet { color: var(--soft); }
code, pre { font-family: var(--mono); font-size: .86em; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem;
  overflow-x: auto; margin: 0 0 1rem; }
td code { overflow-wrap: anywhere; } td code[title] { white-space: nowrap; }
.pill { display: inline-block; border: 1px solid var(--line); border-radius: 99px; padding: 0 .55rem; margin: 0 .2rem .2rem 0;
  font-size: .82rem; }
form.search { margin: 0 0 1.25rem; display: flex; gap: .5rem; }
input[type=search] { flex: 1; min-width: 0; font: inherit; padding: .5rem .8rem; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; }
button { font: inherit; font-size: .9rem; padding: .35rem .8rem; border-radius: 8px; border: 1px solid var(--line); background: var(--card);
  color: inherit; cursor: pointer; }
button.bad { color: #fff; background: var(--bad); border-color: var(--bad); }
details.delete summary { cursor: pointer; color: var(--soft); list-style: none; white-space: nowrap; font-size: .9rem; text-align: right; }
details.delete summary:hover { color: var(--bad); } details.delete form { margin: .4rem 0 0; white-space: nowrap; text-align: right; }
.empty { padding: 2.5rem 1rem; text-align: center; color: var(--soft); }
nav.pages { margin-top: 1rem; display: flex; justify-content: space-between; }
.note { border-left: 3px solid var(--accent); background: var(--card); padding: .6rem 1rem; margin: 0 0 1.25rem;
  border-radius: 0 8px 8px 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0; padding: .9rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
"""

LOGO = (
    '<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" '
    'aria-hidden="true">'
    '<path d="M16 4v15M16 5c5 2 8 6 8.5 12H16M14 8c-4 2-6 5-6.5 9H14M4 21h24c-1 4-4 6.5-7.5 6.5h-9C8 27.5 5 25 4 21z"/></svg>'
)
