// The page for report: the figures, a plot with its table for each breakdown, the rows, and what is counted.
const main = document.getElementById("page");
const facts = JSON.parse(document.getElementById("facts").textContent);
const state = { asked: {}, answer: null, busy: "", problem: "", folded: {} };
const IN_TIME = ["week", "month"], OPEN_UP_TO = 16, MAX_COLUMNS = 6, LATE = "over 90 days";
const GROUPINGS = ["week", "month", "practitioner", "site", "type"];
const canCall = () => !host.alone && Boolean(host.capabilities.serverTools);

function figureCards({ summary = {}, compared }) {
  const cards = Object.entries(summary).map(([name, figure]) => {
    const large = figure.rate || (figure.total === undefined ? numberWords(figure.count || 0) : moneyWords(figure.total));
    const small = figure.rate ? `${numberWords(figure.count || 0)} of ${numberWords(figure.of || 0)}`
      : figure.total !== undefined && figure.count !== undefined ? `in ${numberWords(figure.count)}`
        : figure.of !== undefined ? `of ${numberWords(figure.of)}` : "";
    const before = compared && compared.summary[name], change = compared && compared.change[name];
    return make("div", {}, make("dt", {}, wordsFor(name)), make("dd", { class: "large" }, large),
      small ? make("dd", { class: "soft" }, small) : null,
      before ? make("dd", { class: "soft" }, `before: ${figureWords(before)}${change ? ` (${changeWords(change)})` : ""}`) : null);
  });
  return cards.length ? make("dl", { class: "figures" }, cards) : null;
}

function breakdown(name, found, answer) {
  const measure = measureOf(found.rows), whole = Object.values(answer.summary || {})[0];
  const level = whole && measure.kind === "rate" ? measure.of(whole) : null;
  const first = wordsFor(Object.keys(answer.summary || {})[0] || answer.kind);
  const heading = `${first} by ${wordsFor(name).toLowerCase()}`;
  const columns = IN_TIME.includes(name) ? timeColumns(name, found.rows, measure) : [];
  const marks = level === null ? "" : ` The line marks ${measure.words(level)}, the rate of all.`;
  const groups = groupTable(found.rows, measure, level, heading, !columns.length);
  const about = make("p", { class: "soft" }, `Sorted ${found.sorted}.${columns.length > 1 ? " The first and the last may be in part outside the time." : ""}${marks}`);
  if (!columns.length) return make("section", { class: "card" }, make("h2", {}, heading), about, groups);
  const title = `${heading}: a column each, ${columns.length} in all; the table beneath has the figures`;
  const width = Math.max(240, Math.min(main.clientWidth - 64, 960));
  const open = state.folded[name] === undefined ? found.rows.length <= OPEN_UP_TO : state.folded[name];
  const details = make("details", { open }, make("summary", {}, "The figures of the plot"), groups);
  details.addEventListener("toggle", () => { state.folded[name] = details.open; });
  return make("section", { class: "card over-time" }, make("h2", {}, heading),
    make("figure", { class: "plot" }, trendPlot(columns, measure, level, title, width)), about, details);
}

function groupTable(rows, measure, level, label, bars) {
  const parts = [["Count", (row) => (row.count === undefined ? "" : numberWords(row.count))], ["Of", (row) => (row.of === undefined ? "" : numberWords(row.of))],
    ["Rate", (row) => row.rate || ""], ["Total", (row) => (row.total === undefined ? "" : moneyWords(row.total))],
    ["Average", (row) => (row.average === undefined ? "" : moneyWords(row.average)), "extra"]].filter(([, words]) => rows.some(words));
  const most = Math.max(level || 0, ...rows.map((row) => measure.of(row) || 0));
  const head = parts.map(([words, , more]) => make("th", { scope: "col", class: more ? `number ${more}` : "number" }, words));
  const body = rows.map((row) => make("tr", { class: row.name === LATE ? "late" : null },
    make("th", { scope: "row" }, breakable(timeWords(row.name)), bars ? barPlot(measure.of(row), most, level) : null),
    parts.map(([, words, more]) => make("td", { class: more ? `number ${more}` : "number" }, words(row)))));
  return make("table", { class: "groups", "aria-label": label },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Name"), head)), make("tbody", {}, body));
}

/** New patients by the month of their first visit: who came back within how many days, in a stronger colour where it is more. */
function cohortsPart(cohorts = []) {
  const within = [...new Set(cohorts.flatMap(({ came_back: back }) => Object.keys(back)))].sort((a, b) => a - b);
  if (!within.length) return null;
  const cell = (figure, number) => {
    if (!figure) return make("td", { class: "early", "data-label": `Within ${number} days` }, "too early");
    const part = figure.count / figure.of;
    return make("td", { class: `heat heat-${Math.min(4, Math.floor(part * 5))}`, "data-label": `Within ${number} days` },
      make("strong", {}, figure.rate), make("span", {}, `${numberWords(figure.count)} of ${numberWords(figure.of)}`));
  };
  const heading = "Came back, by month of the first visit";
  return make("section", { class: "card" }, make("h2", {}, heading),
    make("p", { class: "soft" }, "Of the new patients of each month, those with a later day kept within so many days of their first visit. The stronger the colour, the more."),
    make("table", { class: "stacks cohorts", role: "table", "aria-label": heading },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ["First visit", "New", ...within.map((number) => `${number} days`)].map((words) => make("th", { role: "columnheader", scope: "col" }, words)))),
      make("tbody", { role: "rowgroup" }, cohorts.map((cohort) => make("tr", { role: "row" },
        make("th", { role: "rowheader", scope: "row" }, timeWords(cohort.name)), make("td", { role: "cell", "data-label": "New" }, numberWords(cohort.new_patients)),
        within.map((number) => fill(cell(cohort.came_back[number], number), { role: "cell" }, [])))))));
}

function rowsPart({ items = [], page }) {
  const names = [];
  for (const row of items) {
    let place = 0;
    for (const name of Object.keys(row).filter((one) => !isId(one))) {
      if (names.includes(name)) place = names.indexOf(name) + 1;
      else names.splice(place++, 0, name);
    }
  }
  if (!names.length) return null;
  const total = page ? page.total : items.length;
  const heading = `Rows, ${total === items.length ? `all ${numberWords(total)}` : `${numberWords(items.length)} of ${numberWords(total)}`}`;
  const numeric = names.map((name, place) => (items.every((row) => row[name] === undefined || typeof row[name] === "number" || /^-?\d+\.\d\d$/.test(row[name])) ? place : -1));
  const shown = names.length <= MAX_COLUMNS
    ? table(names.map(wordsFor), items.map((row) => names.map((name) => valueWords(row[name]))), heading, numeric)
    : make("ul", { class: "rows" }, items.map((row) => make("li", {}, make("strong", {}, valueWords(row[names[0]])),
      make("dl", {}, names.slice(1).filter((name) => valueWords(row[name])).map((name) =>
        make("div", {}, make("dt", {}, wordsFor(name)), make("dd", {}, valueWords(row[name]))))))));
  const more = page && !page.complete && canCall() ? button("Show more rows", moreRows) : null;
  return make("section", { class: "card" }, make("h2", {}, heading), shown, more);
}

function button(words, work, attributes = {}) {
  return make("button", { type: "button", onclick: () => asking(work), ...attributes }, words);
}

async function asking(work) {
  Object.assign(state, { busy: "Reading …", problem: "" });
  draw();
  try {
    await work();
  } catch (problem) {
    state.problem = problem.message;
  }
  state.busy = "";
  draw();
}

async function moreRows() {
  const { items, page } = state.answer;
  const on = page.next_cursor ? { cursor: page.next_cursor } : { skip: items.length };
  const more = await callTool("report", { ...state.asked, ...on, limit: 100 });
  const rows = [...items, ...(more.items || [])];
  state.answer = { ...state.answer, items: rows, page: { ...more.page, returned: rows.length } };
}

/** Buttons that break the first figure down by something else, or compare it with the time before. */
function otherViews({ by = {}, compared, summary }) {
  if (!canCall() || !summary) return null;
  const again = (words, change, pressed) => button(words, async () => {
    const { cursor, skip, ...first } = state.asked; // another view begins with its first rows
    const asked = Object.fromEntries(Object.entries({ ...first, ...change }).filter(([, value]) => value !== undefined));
    state.answer = await callTool("report", asked);
    state.asked = asked;
  }, { "aria-pressed": String(pressed) });
  const shown = Object.keys(by);
  return make("div", { class: "controls", role: "group", "aria-label": "Break down" },
    GROUPINGS.map((name) => again(`By ${name}`, { by: shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name] }, shown.includes(name))),
    again("Compare with before", { compare: compared ? undefined : "previous" }, Boolean(compared)), fullScreenButton());
}

function draw() {
  const { answer } = state;
  const told = make("div", { role: "status", class: "status" },
    state.problem ? make("p", { class: "problem" }, state.problem) : null, state.busy ? make("p", { class: "busy" }, state.busy) : null);
  if (!answer) {
    main.replaceChildren(told);
    return;
  }
  const who = [answer.practitioner, answer.business].filter(Boolean).join(" at ");
  const scope = [answer.patient, who, answer.when.charAt(0).toUpperCase() + answer.when.slice(1), answer.over ? `Over so far: ${answer.over}` : ""].filter(Boolean);
  const by = Object.entries(answer.by || {}).filter(([, found]) => found.rows.length).sort(([a], [b]) => (a === "age" ? 0 : 1) - (b === "age" ? 0 : 1));
  const notes = [answer.definition, ...(answer.notes || []).filter((note) => !/next_cursor|call again with/.test(note))].filter(Boolean);
  main.replaceChildren(...[
    make("h1", {}, wordsFor(answer.kind)), ...scope.map((line) => make("p", { class: "scope" }, line)), told, otherViews(answer),
    figureCards(answer), answer.compared ? make("p", { class: "soft" }, `Before is ${answer.compared.when}.`) : null,
    by.length ? make("div", { class: "breakdowns" }, by.map(([name, found]) => breakdown(name, found, answer))) : null,
    cohortsPart(answer.cohorts), rowsPart(answer),
    notes.length ? make("section", { class: "card" }, make("h2", {}, "What is counted"), notes.map((text) => make("p", {}, text))) : null,
    make("p", { class: "soft made" }, `As at ${valueWords(answer.now)}, the clinic's time (${answer.time_zone}).`)].filter(Boolean));
}

async function begin() {
  let width = 0;
  new ResizeObserver(() => {
    if (main.clientWidth !== width) draw();
    width = main.clientWidth;
  }).observe(main);
  if (facts.answer) {
    state.answer = facts.answer;
    draw();
    return;
  }
  if (host.alone) return;
  state.busy = "Reading the report …";
  draw();
  host.on["tool-input"] = ({ arguments: args }) => { state.asked = args || {}; };
  host.on["tool-result"] = (result) => {
    Object.assign(state, { busy: "", problem: "" });
    try {
      state.answer = fieldsOf(result);
    } catch (problem) {
      state.problem = problem.message;
    }
    draw();
  };
  host.on["tool-cancelled"] = () => {
    Object.assign(state, { busy: "", problem: "The assistant stopped before the answer was there." });
    draw();
  };
  await connect("Cliniko report");
  draw();
}

begin().catch((problem) => {
  Object.assign(state, { busy: "", problem: problem.message });
  draw();
});
