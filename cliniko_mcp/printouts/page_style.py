"""How the page of a report looks: all of it in the page itself, nothing from outside."""

from typing import Final

from cliniko_mcp.house_look import LOOK, TABLES

STYLE: Final = (
    LOOK
    + TABLES
    + """
header, main { max-width: 60rem; }
.scope { color: var(--soft); margin: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: .75rem; margin: 1rem 0;
  padding: 0; }
.figures > div { background: var(--card); border: 1px solid var(--line); border-radius: .875rem; padding: .9rem 1rem;
  break-inside: avoid; display: flex; flex-direction: column; }
.figures dt { color: var(--soft); font-size: .9375rem; line-height: 1.3; margin-bottom: .25rem; }
.figures dd { margin: 0; font-variant-numeric: tabular-nums; }
.figures .large { font-size: 1.6rem; font-weight: 700; line-height: 1.2; }
.figures > div:first-child { border-color: var(--mark); border-width: 2px; }
figure { margin: 0 0 .75rem; }
svg text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--soft); }
svg .value { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg .bar { fill: var(--mark); }
svg .track { fill: var(--line); opacity: .55; }
svg .grid { stroke: var(--line); fill: none; }
path.level { stroke: var(--warn); stroke-width: 2; stroke-dasharray: 6 4; fill: none; }
rect.level { fill: var(--warn); stroke: var(--card); }
.late svg .bar { fill: var(--yes); }
.across { display: block; margin-top: .25rem; }
figure svg { display: block; max-width: 100%; height: auto; }
figure > .narrow { display: none; }
.groups tbody th { width: 60%; }
details summary { cursor: pointer; padding: .5rem 0; color: var(--soft); }
.rows { list-style: none; margin: 0; padding: 0; }
.rows li { border-top: 1px solid var(--line); padding: .7rem 0; break-inside: avoid; }
.rows li:first-child { border-top: 0; padding-top: 0; }
.rows dl { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; margin: .2rem 0 0; font-size: .9375rem; }
.rows dt { color: var(--soft); font-size: .8125rem; }
.rows dd { margin: 0; }
footer { max-width: 60rem; margin: 0 auto; padding: 0 1rem; color: var(--soft); font-size: .9375rem; }
@media (max-width: 40rem) { .card { padding: 1rem; }
  figure > .narrow { display: block; } figure > .wide { display: none; }
  .figures { grid-template-columns: 1fr; gap: .5rem; } .figures > div { padding: .7rem .9rem; }
  .groups tbody th { width: 50%; } }
@media print { :root { color-scheme: light; } body { background: #fff; color: #000; padding: 0; font-size: 11pt; }
  .card, .figures > div { border-color: #888; } .card { padding: .9rem; } svg .track { fill: #ddd; opacity: 1; }
  .plot { break-inside: avoid; } thead { display: table-header-group; } h2 { break-after: avoid; }
  .demo { color: #000; border: 2px solid #000; background: none; } }
@media (forced-colors: active) { svg .bar { fill: CanvasText; } svg .track { fill: none; stroke: CanvasText; }
  svg text { fill: CanvasText; } svg .level { fill: Highlight; stroke: Highlight; } }
"""
)
