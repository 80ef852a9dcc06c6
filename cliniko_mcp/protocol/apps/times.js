// Free starts to pick (find_times), and what a person says to the assistant when they have picked one.

function startOf(row) {
  const day = row.starts_at.slice(0, 10), start = minutesOf(row.starts_at.slice(11, 16));
  const ends = row.ends_at || "";
  const end = /^\d\d:\d\d$/.test(ends) ? minutesOf(ends) : start + (state.times.minutes || 0);
  return { row, day, start, end };
}

/** The words that are sent for a picked start; nothing is booked by them alone. */
function bookingWords({ row, day, start }) {
  const with_ = row.practitioner ? ` with ${row.practitioner}` : "", where = row.business ? ` at ${row.business}` : "";
  const place = row.group_appointment_id ? `a place in the class ${state.times.type} (id ${row.group_appointment_id})`
    : `${state.times.type}, ${state.times.minutes} minutes,`;
  return `Please book ${place}${with_}${where} on ${dayWords(day)} at ${clockWords(start)} (${row.starts_at.slice(0, 16)}). `
    + "If you do not know who it is for, ask me first.";
}

function gapWords({ sheet, gap }) {
  return `${sheet.practitioner} is free at ${sheet.site} on ${dayWords(sheet.day)}, ${spanWords(gap.start, gap.end)}. `
    + "I would like to use that time: ask me for whom and for what, or suggest who could fill it.";
}

/** Show what is picked with its button beside it, and bring the two into sight; a second press of the key sends nothing. */
function pick(picked) {
  Object.assign(state, { picked, said: "" });
  draw();
  main.querySelector(".picker").focus();
}

/** What is picked, and the one button that sends it. */
function picker() {
  const { picked } = state;
  if (!picked) return null;
  const words = picked.row
    ? `${dayWords(picked.day)}, ${spanWords(picked.start, picked.end)}`
    : `${dayWords(picked.sheet.day)}, ${spanWords(picked.gap.start, picked.gap.end)}`;
  const beneath = picked.row ? [picked.row.practitioner, picked.row.business] : [picked.sheet.practitioner, picked.sheet.site];
  const send = async () => {
    await say(picked.row ? bookingWords(picked) : gapWords(picked));
    Object.assign(state, { picked: null, said: "Sent to the assistant. Nothing is booked until it says so." });
    draw();
  };
  return make("div", { class: "picker", role: "group", tabindex: -1, "aria-label": "What is picked" },
    make("p", {}, make("strong", {}, words), make("span", { class: "soft" }, beneath.filter(Boolean).join(", "))),
    make("div", { class: "group" },
      action(picked.row ? "Ask the assistant to book it" : "Ask the assistant to fill it", send, { class: "main" }),
      action("Not this", async () => { state.picked = null; draw(); })));
}

function startButton(start) {
  const { row } = start;
  const chosen = Boolean(state.picked && state.picked.row === row);
  const inside = [make("span", { class: "time" }, spanWords(start.start, start.end)),
    make("span", { class: "what" }, [row.practitioner, row.business].filter(Boolean).join(", ")),
    row.places_left !== undefined ? make("span", { class: "what" }, `${plural(row.places_left, "place")} left`) : null,
    row.differs ? make("span", { class: "what" }, row.differs) : null];
  return make("li", { class: "entry gap" }, canSay()
    ? make("button", { type: "button", class: "small card-body", "aria-pressed": String(chosen),
      onclick: () => pick(start) }, inside)
    : make("div", { class: "card-body" }, inside));
}

function startsByDay(rows) {
  const days = new Map();
  for (const start of rows.map(startOf)) days.set(start.day, [...(days.get(start.day) || []), start]);
  return make("div", { class: "days" }, [...days].map(([day, starts]) =>
    make("section", { class: "card day-card" }, make("h2", {}, dayWords(day, true)),
      make("ol", {}, starts.sort((a, b) => a.start - b.start).map(startButton)), state.picked && state.picked.day === day ? picker() : null,
      canCall() ? action(`The diary of ${dayWords(day, true)}`, () => show(day, day), { class: "link small" }) : null)));
}

function drawTimes() {
  const { times } = state, { items = [], page, why = [], alternatives = [] } = times;
  const more = page && !page.complete && canCall()
    ? action(`Show more of the ${page.total.toLocaleString("en-AU")}`, async () => {
      const asked = { ...state.timesAsked, limit: 100 };
      await take(await callTool("find_times", asked), asked);
    }) : null;
  const rows = [...items, ...alternatives].map(startOf).map(({ row, day, start, end }) =>
    [dayWords(day, true), spanWords(start, end), row.practitioner || "", row.business || ""]);
  main.replaceChildren(...[
    make("div", { class: "head" }, make("div", {}, make("h1", {}, `Free times: ${times.type}`),
      make("p", { class: "soft" }, `${lengthWords(times.minutes)}${times.kind === "online" ? ", as patients book online" : ""} · ${times.when}`)),
    make("div", { class: "controls" }, more, fullScreenButton())),
    status(), ...why.map((words) => make("p", { class: "remark" }, words)), ...remarks(times),
    items.length ? startsByDay(items) : make("p", { class: "card empty" }, "There is no free start in that time."),
    alternatives.length ? make("h2", {}, "What comes nearest") : null,
    alternatives.length ? startsByDay(alternatives) : null,
    rows.length ? make("details", { class: "as-table" }, make("summary", {}, "The same as a table"),
      table(["Day", "Time", "With", "Where"], rows, "Free times as a table")) : null].filter(Boolean));
}
