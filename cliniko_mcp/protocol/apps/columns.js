// A day in columns: time runs down, and is stretched where a booking needs more room than its length gives it, so that
// no words are cut and nothing lies on anything else. All columns share the same clock.
const A_MINUTE = 0.95, AN_IDLE_MINUTE = 0.15; // pixels at the least, and where nobody is at work and nothing stands
const LABEL_ROOM = 22; // pixels between two labels of the clock
const COLUMN = 148, LANE = 118, CLOCK = 58; // pixels of a column, of one of several bookings at once, of the clock

/** Cards beside each other where they meet: each gets its lane, and how many lanes there are. */
function lanesOf(cards) {
  const sorted = [...cards].sort((a, b) => a.start - b.start || b.end - a.end);
  let group = [], ends = 0;
  const close = () => {
    const lanes = Math.max(0, ...group.map((card) => card.lane + 1));
    for (const card of group) card.lanes = lanes;
    group = [];
  };
  for (const card of sorted) {
    if (card.start >= ends) close();
    const taken = new Set(group.filter((other) => meets(card, other)).map((other) => other.lane));
    card.lane = 0;
    while (taken.has(card.lane)) card.lane += 1;
    group.push(card);
    ends = Math.max(ends, card.end);
  }
  close();
  return sorted;
}

/** Where each moment of the day stands, in pixels: no two nearer than what lies between them needs. */
function stretched(moments, needs, spans) {
  const points = [...new Set(moments)].sort((a, b) => a - b);
  const at = new Map([[points[0], 0]]);
  const ending = new Map();
  for (const need of needs) ending.set(need.end, [...(ending.get(need.end) || []), need]);
  for (let place = 1; place < points.length; place += 1) {
    const [before, moment] = [points[place - 1], points[place]];
    const idle = !spans.some(({ start, end }) => start < moment && end > before);
    let y = at.get(before) + (moment - before) * (idle ? AN_IDLE_MINUTE : A_MINUTE);
    for (const need of ending.get(moment) || []) y = Math.max(y, at.get(need.start) + need.room);
    at.set(moment, Math.round(y));
  }
  return at;
}

/**
 * The columns as one element, laid out once it stands in the page: call `.lay()` then.
 * A column is {title, beneath, site, sheet, foot, cards: [{start, end, element}], now: minutes or null}.
 */
function columnsOf(columns, label) {
  const lanes = columns.map((column) => {
    column.cards = lanesOf(column.cards);
    return Math.max(1, ...column.cards.map((card) => card.lanes));
  });
  const widths = lanes.map((count) => `minmax(${Math.max(COLUMN, count * LANE)}px, ${count}fr)`);
  const grid = make("div", { class: "columns", style: `grid-template-columns: ${CLOCK}px ${widths.join(" ")}` });
  const clock = make("div", { class: "clock", "aria-hidden": "true" });
  grid.append(make("div", { class: "corner", "aria-hidden": "true" }), clock);
  const sites = [];
  columns.forEach((column, place) => {
    const last = sites[sites.length - 1];
    if (last && last.site === column.site) last.span += 1;
    else sites.push({ site: column.site, from: place + 2, span: 1 });
  });
  const several = sites.length > 1;
  if (several)
    for (const { site, from, span } of sites)
      grid.append(make("p", { class: "site", style: `grid-column: ${from} / span ${span}` }, site));
  columns.forEach((column, place) => {
    const id = `column${place}`;
    column.body = make("ol", { class: "lane" }, column.cards.map((card) => card.element));
    grid.append(make("section", { class: "column", "aria-labelledby": id },
      make("header", { style: `grid-column: ${place + 2}` },
        make("h2", { id }, column.title), ...column.beneath.map((words) => make("p", { class: "soft" }, words))),
      make("div", { class: "body", style: `grid-column: ${place + 2}` }, column.body),
      column.foot ? make("div", { class: "foot", style: `grid-column: ${place + 2}` }, column.foot) : null));
  });
  grid.classList.toggle("several", several);
  const around = make("div", { class: "scrolls", role: "region", "aria-label": label }, grid);
  around.lay = () => lay(around, grid, clock, columns);
  return around;
}

function lay(around, grid, clock, columns) {
  const cards = columns.flatMap((column) => column.cards);
  for (const card of cards) {
    card.element.style.left = `${(100 * card.lane) / card.lanes}%`;
    card.element.style.width = `${100 / card.lanes}%`;
    card.element.style.height = "auto";
  }
  const hours = columns.flatMap((column) => column.sheet.hours);
  const spans = [...hours, ...cards];
  const first = Math.min(...spans.map(({ start }) => start)), last = Math.max(...spans.map(({ end }) => end));
  const labels = [];
  for (let hour = Math.ceil(first / 60) * 60; hour <= last; hour += 60) labels.push(hour);
  const needs = cards.map((card) => ({ start: card.start, end: card.end, room: card.element.offsetHeight }));
  labels.slice(1).forEach((label, place) => needs.push({ start: labels[place], end: label, room: LABEL_ROOM }));
  const nows = columns.map((column) => column.now).filter((now) => now !== null && now > first && now < last);
  const moments = [first, last, ...labels, ...nows, ...spans.flatMap(({ start, end }) => [start, end])];
  const at = stretched(moments, needs, spans);
  const height = at.get(last);
  clock.replaceChildren(...labels.map((label) =>
    make("span", { style: `top: ${at.get(label)}px` }, hourWords(label))));
  clock.style.height = `${height}px`;
  for (const column of columns) {
    column.body.style.height = `${height}px`;
    for (const old of column.body.parentElement.querySelectorAll(".open, .now, .hour")) old.remove();
    const line = (kind, top, tall) => column.body.before(make("div", { class: kind, "aria-hidden": "true",
      style: `top: ${top}px${tall === undefined ? "" : `; height: ${tall}px`}` }));
    for (const { start, end } of column.sheet.hours) line("open", at.get(start), at.get(end) - at.get(start));
    for (const label of labels) line("hour", at.get(label));
    if (column.now !== null && at.has(column.now)) line("now", at.get(column.now));
    for (const card of column.cards) {
      card.element.style.top = `${at.get(card.start)}px`;
      card.element.style.height = `${at.get(card.end) - at.get(card.start)}px`;
    }
  }
  const scrolls = grid.scrollWidth > around.clientWidth + 1;
  around.tabIndex = scrolls ? 0 : -1;
  around.classList.toggle("wide", scrolls);
}
