// The page for show_diary and find_times: a day in columns, a week, free starts to pick. It reads and asks; it never
// writes: what a person picks goes into the conversation as their own words.
const NARROW = 720; // pixels below which columns become lists
const CALLS = 12; // at the most, to complete an answer that was cut
const LONG = 400; // entries that one call may show
const main = document.getElementById("page");
const facts = JSON.parse(document.getElementById("facts").textContent);
const state = {
  asked: {}, answer: null, sheets: [], first: "", last: "", held: null, who: "", picked: null, busy: "", problem: "",
  said: "", times: null, timesAsked: {}, table: false, opened: {},
};

const canCall = () => !host.alone && Boolean(host.capabilities.serverTools);
const canSay = () => !host.alone && Boolean(host.capabilities.message);
const isNarrow = () => main.clientWidth < NARROW;

/** What a call about another time keeps of what was asked for. */
function kept() {
  const { practitioner, business, phones } = state.asked;
  return Object.fromEntries(Object.entries({ practitioner, business, phones }).filter(([, value]) => value));
}

/** Take the answer of a tool in, whichever of the two it is of. */
async function take(answer, asked) {
  if (answer.type !== undefined && answer.minutes !== undefined) {
    Object.assign(state, { times: answer, timesAsked: asked, answer: null, picked: null, problem: "", said: "" });
    draw();
    return;
  }
  const days = daysIn(answer.when || "") || {};
  const every = (answer.items || []).map((row) => row.day.slice(0, 10)).sort();
  const first = days.first || every[0] || (answer.now || "").slice(0, 10);
  const last = days.last || every[every.length - 1] || first;
  Object.assign(state, { answer, asked, picked: null, problem: "", said: "", first, last, sheets: joined([sheetsOf(answer)]) });
  state.held = partly(answer) && canCall() ? { first: "", last: "" } : { first, last };
  if (!people().includes(state.who)) state.who = "";
  draw();
  await complete(answer);
}

/** Whether only some hours or weekdays of the days were asked for: the days themselves are not held then. */
function partly(answer) {
  return /\d\d:\d\d|, on /.test(answer.when || "");
}

/** Read what did not fit into the answer, as its own `next` says; what is read stands there at once. */
async function complete(answer) {
  const queue = [...(answer.next || [])];
  if (!queue.length || !canCall()) return;
  const parts = [sheetsOf(answer)];
  for (let calls = 0; queue.length && calls < CALLS && state.answer === answer; calls += 1) {
    state.busy = "Reading the rest of the diary …";
    draw();
    const more = await callTool("show_diary", { ...queue.shift(), ...(state.asked.phones ? { phones: true } : {}), limit: LONG });
    if (state.answer !== answer) return;
    parts.push(sheetsOf(more));
    queue.unshift(...(more.next || []));
    state.sheets = joined(parts.map((part) => part.map(copyOf)));
    state.picked = null;
  }
  state.answer = { ...answer, page: { ...answer.page, complete: !queue.length } };
  state.busy = "";
  draw();
}

function copyOf(sheet) {
  return { ...sheet, entries: [...sheet.entries], over: [...sheet.over] };
}

/** Show these days: from what is held, else by a call. */
async function show(first, last) {
  if (state.held && state.held.first <= first && last <= state.held.last && state.answer) {
    Object.assign(state, { first, last, picked: null, said: "" });
    draw();
    return;
  }
  const asked = { ...kept(), when: first === last ? first : `${first} to ${last}`, limit: LONG };
  state.busy = `Reading ${daysWords(first, last)} …`;
  draw();
  try {
    const answer = await callTool("show_diary", asked);
    state.busy = "";
    await take(answer, asked);
  } catch (problem) {
    Object.assign(state, { busy: "", problem: problem.message });
    draw();
  }
}

const run = (work) => () => work().catch((problem) => {
  Object.assign(state, { busy: "", problem: problem.message });
  draw();
});

function people() {
  return [...new Set(state.sheets.map((sheet) => sheet.practitioner))].filter(Boolean).sort();
}

function places() {
  return [...new Set(state.sheets.map((sheet) => sheet.site))].sort();
}

function visibleSheets() {
  const within = state.sheets.filter((sheet) => state.first <= sheet.day && sheet.day <= state.last);
  return within.filter((sheet) => !state.who || sheet.practitioner === state.who || sheet.site === state.who);
}

function visibleDays() {
  const days = [];
  for (let day = state.first; day <= state.last && days.length < 70; day = addDays(day, 1)) days.push(day);
  return days;
}

function action(words, work, attributes = {}) {
  return make("button", { type: "button", onclick: run(work), ...attributes }, words);
}

function head() {
  const long = state.first !== state.last, today = state.answer.now.slice(0, 10);
  const within = (first, last) => canCall() || (state.held.first <= first && last <= state.held.last);
  const move = (number) => {
    const by = long ? number * 7 : number;
    const monday = long ? mondayOf(state.first) : addDays(state.first, by);
    return long ? [addDays(monday, by), addDays(monday, by + 6)] : [monday, monday];
  };
  const week = [mondayOf(state.first), addDays(mondayOf(state.first), 6)];
  const step = (words, label, [first, last]) =>
    (within(first, last) ? action(words, () => show(first, last), { "aria-label": label }) : null);
  const unit = long ? "week" : "day", who = [...new Set(visibleSheets().map((sheet) => sheet.practitioner))];
  const someDay = state.first <= today && today <= state.last ? today : state.first;
  const heldWeek = state.held && state.held.first !== state.held.last && !canCall() ? [state.held.first, state.held.last] : week;
  const views = [
    within(someDay, someDay) ? action("Day", () => show(someDay, someDay), { "aria-pressed": String(!long) }) : null,
    within(...heldWeek) && heldWeek[0] !== heldWeek[1] ? action("Week", () => show(...heldWeek), { "aria-pressed": String(long) }) : null,
  ].filter(Boolean);
  return make("div", { class: "head" },
    make("div", {},
      make("h1", {}, daysWords(state.first, state.last)),
      partly(state.answer) ? make("p", { class: "soft" }, state.answer.when) : null,
      long && who.length === 1 ? make("p", { class: "whose" }, who[0]) : null,
      make("p", { class: "soft" }, countWords(countsOf(visibleSheets())).join(" · ") || "Nothing in the diary")),
    make("div", { class: "controls" },
      make("div", { class: "group" }, step("‹", `Previous ${unit}`, move(-1)),
        canCall() || state.held.first !== state.held.last ? step("Today", "Today", [today, today]) : null, step("›", `Next ${unit}`, move(1))),
      views.length > 1 ? make("div", { class: "group" }, views) : null,
      choice(), fullScreenButton()));
}

/** Whose diary is shown: everyone's, a site's, one person's. */
function choice() {
  const [who, where] = [people(), places()];
  if (who.length + where.length < 3) return null;
  const option = (value, words) => make("option", { value, selected: value === state.who }, words);
  const select = make("select", { "aria-label": "Whose diary" }, option("", "Everyone"),
    where.length > 1 ? make("optgroup", { label: "Sites" }, where.map((name) => option(name, name))) : null,
    make("optgroup", { label: "Practitioners" }, who.map((name) => option(name, name))));
  select.addEventListener("change", () => {
    Object.assign(state, { who: select.value, picked: null });
    draw();
  });
  return select;
}

function columnsFor(sheets, zones) {
  const several = new Set(sheets.map((sheet) => sheet.day)).size > 1;
  const now = new Date(state.answer.now.slice(0, 22));
  return sheets.map((sheet) => {
    const here = zones[sheet.site] ? wallClock(now, zones[sheet.site]) : {};
    const counts = countsOf([sheet]);
    const gap = (stretch) => {
      const over = sheet.day < here.day || (sheet.day === here.day && stretch.end <= here.minutes);
      const it = { sheet, gap: stretch };
      const choose = canSay() && !over ? () => pick(it) : null;
      const chosen = state.picked && state.picked.sheet === sheet && state.picked.gap === stretch;
      return { ...stretch, element: gapCard(stretch, choose, Boolean(chosen)) };
    };
    const cards = [...sheet.over, ...sheet.entries].filter(takesTime).map((entry) => ({ start: entry.over ? 0 : entry.start, end: entry.end, element: entryCard(entry) }));
    const clipped = cards.map((card) => clip(card, sheet));
    const hours = sheet.hours.map(({ start, end }) => spanWords(start, end)).join(", ");
    return {
      title: several ? dayWords(sheet.day, true) : sheet.practitioner || "Everyone",
      beneath: [sheet.hoursTold ? hours || "not at work" : "", countWords({ ...counts, alerts: 0, clashes: 0, cancelled: 0, free: 0, arrived: 0, missed: 0 }).join(", ") || "nothing booked"].filter(Boolean),
      site: sheet.site, sheet, cards: [...clipped, ...sheet.gaps.map(gap)], foot: cancelledList(sheet.entries),
      now: here.day === sheet.day ? here.minutes : null,
    };
  });
}

/** What is blocked out is drawn over the hours of work and bookings alone: the night before needs no room. */
function clip(card, sheet) {
  if (!sheet.hours.length) return card.start <= 0 && card.end >= MIDNIGHT ? { ...card, start: 480, end: 1020 } : card;
  const others = sheet.entries.filter((entry) => takesTime(entry) && entry.kind !== "block");
  const first = Math.min(...[...sheet.hours, ...others].map(({ start }) => start));
  const last = Math.max(...[...sheet.hours, ...others].map(({ end }) => end));
  const start = Math.max(card.start, first), end = Math.min(card.end, last);
  return start < end ? { ...card, start, end } : card;
}

/** The same column as a list, for a narrow page. */
function agenda(column, place, alone) {
  const rows = [...column.cards].sort((a, b) => a.start - b.start || a.end - b.end).map((card) => card.element);
  const key = [column.sheet.day, column.sheet.site, column.sheet.practitioner].join("\n");
  const shown = state.opened[key] === undefined ? alone || place === 0 : state.opened[key];
  const details = make("details", { class: "card agenda", open: shown },
    make("summary", {}, make("span", { class: "title" }, column.title),
      make("span", { class: "soft" }, [column.site, ...column.beneath].filter(Boolean).join(" · "))),
    rows.length ? make("ol", {}, rows) : null,
    state.picked && state.picked.sheet === column.sheet ? picker() : null, column.foot);
  details.addEventListener("toggle", () => { state.opened[key] = details.open; });
  return details;
}

function body(zones) {
  const sheets = visibleSheets(), days = visibleDays();
  if (!sheets.length) return make("p", { class: "card empty" }, "Nothing is booked or blocked out, and nobody has working hours then.");
  const who = new Set(sheets.map((sheet) => sheet.practitioner));
  if (days.length > 1 && who.size > 1)
    return weekTable(sheets, days, state.answer.off || [], (day) => run(() => show(day, day))(),
      (name) => { state.who = name; draw(); });
  const columns = columnsFor(sheets, zones);
  if (isNarrow() || state.paper) return make("div", {}, columns.map((column, place) => agenda(column, place, columns.length === 1 || state.paper)));
  return columnsOf(columns, days.length > 1 ? `The week of ${[...who].join()}` : "The day in columns");
}

function offList() {
  const rows = (state.answer.off || []).filter((row) =>
    row.day.slice(0, 10) <= state.last && (row.to || row.day).slice(0, 10) >= state.first
    && (!state.who || row.practitioner === state.who || places().includes(state.who)));
  if (!rows.length || state.first !== state.last) return null;
  return make("section", { class: "off" }, make("h2", {}, "Not at work"), make("ul", {}, rows.map((row) =>
    make("li", {}, make("strong", {}, row.practitioner), ` ${reasonWords(row.why) === "Not at work" ? "no working hours" : row.why}`,
      row.to ? ` ${dayWords(row.day.slice(0, 10), true)} – ${dayWords(row.to.slice(0, 10), true)}` : null, row.booked ? `, ${row.booked} booked all the same` : null))));
}

function remarks(answer) {
  const empty = state.answer && !visibleSheets().length; // its page says so in the middle
  const forModels = /next show|in another call|larger limit|call again|clinic_overview/;
  const told = (answer.notes || []).filter((note) => !forModels.test(note) && !(empty && /nothing is booked or blocked out/i.test(note)));
  const cut = state.answer && answer.page && !answer.page.complete && !state.busy
    ? [`${answer.page.returned} of ${answer.page.total} entries are shown; the assistant can show the rest.`] : [];
  return [...told, ...cut].map((note) => make("p", { class: "remark" }, note));
}

function drawDiary() {
  const zones = zonesIn(state.answer.when || "", places(), state.answer.time_zone);
  const changes = [...new Set(Object.values(zones))].filter(Boolean).flatMap((zone) => visibleDays().slice(0, 14).map((day) =>
    clockChange(day, zone).replace("on this day", state.first === state.last ? "on this day" : `on ${dayWords(day)}`))).filter(Boolean);
  const shown = body(zones);
  const inTable = make("details", { class: "as-table", open: state.table },
    make("summary", {}, "The same as a table"), sheetTable(visibleSheets()));
  inTable.addEventListener("toggle", () => { state.table = inTable.open; });
  const back = state.times ? action("‹ Back to the free times", async () => { state.answer = null; draw(); }, { class: "back" }) : null;
  const several = new Set(Object.values(zones)).size > 1;
  main.replaceChildren(...[back, head(), status(),
    ...changes.map((words) => make("p", { class: "remark clock-change" }, words)),
    several ? make("p", { class: "soft" }, `Each site by its own clock: ${Object.entries(zones).map(([site, zone]) => `${site} ${zone || "unknown here"}`).join(", ")}.`) : null,
    ...remarks(state.answer), shown, shown.lay ? picker() : null, offList(), ...(visibleSheets().length ? [legend(), inTable] : [])].filter(Boolean));
  if (shown.lay) shown.lay();
}

function status() {
  return make("div", { role: "status", class: "status" },
    state.problem ? make("p", { class: "problem" }, state.problem) : null,
    state.busy ? make("p", { class: "busy" }, state.busy) : null,
    state.said ? make("p", { class: "said" }, state.said) : null);
}

function draw() {
  const kept = document.activeElement && document.activeElement.getAttribute("aria-label");
  if (state.answer) drawDiary();
  else if (state.times) drawTimes();
  else main.replaceChildren(status());
  if (kept) {
    const same = [...main.querySelectorAll("[aria-label]")].find((element) => element.getAttribute("aria-label") === kept);
    if (same) same.focus({ preventScroll: true });
  }
}

async function begin() {
  let width = 0;
  new ResizeObserver(() => {
    if (main.clientWidth !== width && (state.answer || state.times)) draw();
    width = main.clientWidth;
  }).observe(main);
  for (const [event, paper] of [["beforeprint", true], ["afterprint", false]])
    window.addEventListener(event, () => { state.paper = paper; draw(); });
  if (facts.answer) {
    await take(facts.answer, {});
    return;
  }
  if (host.alone) return;
  state.busy = "Reading the diary …";
  draw();
  let asked = {};
  const heard = (work) => (params) => run(() => work(params))();
  host.on["tool-input"] = ({ arguments: args }) => { asked = args || {}; };
  host.on["tool-result"] = heard(async (result) => {
    state.busy = "";
    await take(fieldsOf(result), asked);
  });
  host.on["tool-cancelled"] = heard(async () => { throw new Error("The assistant stopped before the answer was there."); });
  await connect("Cliniko diary");
  draw();
}

begin().catch((problem) => {
  Object.assign(state, { busy: "", problem: problem.message });
  draw();
});
