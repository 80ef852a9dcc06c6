"""How the approval page looks and what its script does: all of it in the page itself, nothing from outside."""

from typing import Final

from cliniko_mcp.house_look import LOOK

STYLE: Final = (
    LOOK
    + """
h2.group { font-size: 1.05rem; margin: 2rem 0 -.25rem; }
dl { margin: 0 0 1rem; }
dl div { display: grid; grid-template-columns: 7.5rem 1fr; gap: .75rem; padding: .3rem 0; }
.card > div > dl div:first-child dd { font-weight: 700; font-size: 1.125rem; line-height: 1.35; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
.becomes { color: var(--soft); }
.aside { color: var(--soft); white-space: nowrap; }
.text { white-space: pre-wrap; border-left: 3px solid var(--line); padding-left: .75rem; }
.number { font-size: .8125rem; color: var(--soft); }
.number dd { font-variant-numeric: tabular-nums; }
.lost { border: 1px solid var(--warn); border-radius: .625rem; padding: .75rem .9rem .25rem; margin: 0 0 1rem; }
.lost p { font-weight: 600; margin: 0 0 .25rem; }
ul.follows { list-style: none; margin: 0 0 .75rem; padding: 0; }
.undo { border-radius: .625rem; padding: .5rem .75rem; background: var(--warn-bg); color: var(--warn);
  font-weight: 600; }
.undo.can { background: var(--good-bg); color: var(--good); }
.meta { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin: 0 0 1rem; }
.left { font-variant-numeric: tabular-nums; white-space: nowrap; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input[type=password] { width: 100%; max-width: 16rem; font: inherit; padding: .6rem .7rem;
  border: 1px solid var(--soft); border-radius: .5rem; background: transparent; color: inherit; margin-bottom: 1rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.1rem; cursor: pointer;
  border-radius: .5rem; border: 2px solid var(--soft); background: transparent; color: inherit; }
button.yes { background: var(--yes); border-color: var(--yes); color: var(--yes-ink); }
button.other { border-color: transparent; text-decoration: underline; text-underline-offset: .2em; color: var(--soft);
  padding-left: .25rem; padding-right: .25rem; }
button.small { min-height: 2.25rem; padding: .25rem .75rem; font-size: .9375rem; border-width: 1px; }
.all { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; margin: .75rem 0 0; }
.all p { margin: 0; }
.after { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: 1.25rem; }
.past { list-style: none; margin: 0; padding: 0; }
.past li { border-top: 1px solid var(--line); padding: .75rem 0; display: flex; flex-wrap: wrap; gap: .5rem 1rem;
  align-items: center; justify-content: space-between; }
.past li > div { flex: 1 1 16rem; min-width: 0; }
.outcome { text-align: left; margin-top: 1.5rem; }
.outcome h1 { margin-top: 0; display: flex; gap: .6rem; align-items: center; }
.outcome .tick { width: 2rem; height: 2rem; flex: none; }
.outcome.good { border-color: var(--good); }
#news { position: fixed; left: 0; right: 0; bottom: 0; padding: .9rem 1rem; background: var(--ink); color: var(--paper);
  text-align: center; }
#news a { color: inherit; }
@media (max-width: 30rem) { .card { padding: 1rem; } dl div { grid-template-columns: 4.75rem 1fr; gap: .5rem; }
  .buttons button { width: 100%; } .aside { white-space: normal; } }
@media (max-width: 21rem) { dl div { grid-template-columns: 1fr; gap: 0; padding: .35rem 0; } }
@media print { :root { color-scheme: light; } body { background: #fff; color: #000; padding: 0; }
  form, #news, .left { display: none !important; }
  .card { break-inside: avoid; border-color: #888; } .undo { border: 1px solid currentColor; }
  .demo { color: #000; border: 2px solid #000; background: none; } }
@media (prefers-reduced-motion: no-preference) { .going { animation: going 1.6s ease-in-out infinite alternate; } }
@keyframes going { from { opacity: .45; } to { opacity: 1; } }
"""
)

SCRIPT: Final = """
const { mark, idle } = document.body.dataset, news = document.getElementById("news"), begun = performance.now();
const tell = (text, link) => {
  news.hidden = false; news.firstChild.textContent = text; news.lastChild.hidden = !link;
};
const clocks = document.querySelectorAll("[data-left]");
setInterval(() => clocks.forEach(clock => {
  const left = Math.max(0, Math.floor(clock.dataset.left - (performance.now() - begun) / 1000));
  clock.textContent = left ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left` : "no longer open";
}), 1000);
setInterval(async () => {
  try {
    const answer = await fetch(location.pathname + "/state", { cache: "no-store" });
    if (!answer.ok) return;
    const state = await answer.json();
    if (state.mark === mark) news.hidden = true;
    else if (idle) location.reload();
    else tell("The list of questions has changed. ", true);
  } catch { tell("The assistant's connection to Cliniko has ended; nothing more can be approved here.", false); }
}, 2000);
"""
"""What is on the page never moves under a person's hand: news is announced at the foot, and shown when asked for. Only
a page on which nothing can be approved shows it by itself."""

TICK: Final = (
    '<svg class=tick viewBox="0 0 32 32" aria-hidden=true><circle cx=16 cy=16 r=15 fill="var(--good)"/>'
    '<path d="M9 16.5l5 5 9.5-11" fill=none stroke="var(--card)" stroke-width=3.2 stroke-linecap=round '
    "stroke-linejoin=round /></svg>"
)
