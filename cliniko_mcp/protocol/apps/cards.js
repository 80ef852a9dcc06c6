// How an entry of the diary looks: a shape, a colour and a word for each thing that it can be.

function word(name, symbol, words) {
  return make("span", { class: `word ${name}` }, symbol ? icon(symbol) : null, words);
}

function wordsOf(entry) {
  return [
    entry.clashes.length ? word("clash", "clash", `Clash: ${[...new Set(entry.clashes)].join(", ")}`) : null,
    entry.state === "arrived" ? word("arrived", "arrived", "Arrived") : null,
    entry.state === "did not arrive" ? word("missed", "missed", "No-show") : null,
    entry.alert ? word("alert", "alert", "Medical alert") : null,
  ].filter(Boolean);
}

function attendeesOf(entry) {
  if (!entry.attendees.length) return null;
  return make("ul", { class: "attendees" }, entry.attendees.map((person) => make("li", {},
    make("span", { class: person.state === "cancelled" ? "gone" : null }, person.who),
    person.state === "cancelled" ? " (cancelled)" : null,
    person.state === "arrived" ? word("arrived", "arrived", "Arrived") : null,
    person.state === "did not arrive" ? word("missed", "missed", "No-show") : null,
    person.alert ? word("alert", "alert", "Medical alert") : null,
    person.phones.length ? make("span", { class: "soft" }, ` ${person.phones[0]}`) : null)));
}

/** The time of an entry; where it runs over a midnight, or a clock goes back within it, both ends as they are written. */
function timeOf(entry) {
  if (entry.whole) return spanWords(entry.start, entry.end) + (entry.start === 0 || entry.end === MIDNIGHT ? ", goes on" : "");
  return spanWords(entry.start, entry.end) + (entry.twice ? " (the clocks go back)" : "");
}

function entryCard(entry) {
  const kind = ["entry", entry.kind, entry.state.replace(/ /g, "-"), entry.clashes.length ? "clashing" : ""];
  const taken = entry.places !== undefined && entry.left !== undefined ? entry.places - entry.left : null;
  return make("li", { class: kind.filter(Boolean).join(" ") }, make("div", { class: "card-body" },
    make("p", { class: "time" }, entry.over ? `until ${clockWords(entry.end)}` : timeOf(entry)),
    make("p", { class: "who" }, entry.kind === "class" ? icon("class") : null, entry.who),
    entry.what ? make("p", { class: "what" }, entry.what) : null,
    entry.kind === "class" ? make("p", { class: "what" }, taken === null ? "Class"
      : `Class: ${taken} of ${plural(entry.places, "place")} taken, ${entry.left ? `${entry.left} free` : "full"}`) : null,
    wordsOf(entry).length ? make("p", { class: "words" }, wordsOf(entry)) : null,
    attendeesOf(entry),
    entry.phones.length ? make("p", { class: "what" }, entry.phones.join(", ")) : null,
    entry.notes ? make("p", { class: "what note" }, `“${entry.notes}”`) : null));
}

/** A free stretch; `pick` is called when a person wants it, without one it only stands there. */
function gapCard(gap, pick, picked) {
  const words = [make("span", { class: "time" }, spanWords(gap.start, gap.end)),
    make("span", { class: "who" }, `Free ${lengthWords(gap.end - gap.start)}`)];
  const inside = pick
    ? make("button", { type: "button", class: "small card-body", onclick: pick, "aria-pressed": String(picked) }, words)
    : make("div", { class: "card-body" }, words);
  return make("li", { class: "entry gap" }, inside);
}

/** What was cancelled in a column, beneath it: it takes no time any more. */
function cancelledList(entries) {
  const gone = entries.filter((entry) => !takesTime(entry));
  if (!gone.length) return null;
  return make("div", { class: "cancelled" }, make("p", { class: "title" }, icon("cancelled"), "Cancelled"), make("ul", {}, gone.map((entry) =>
    make("li", {}, `${clockWords(entry.start)} `, make("span", { class: "gone" }, entry.who),
      entry.reason ? ` (${entry.reason})` : null))));
}

function legend() {
  const sample = (kind, words) => make("li", {}, make("span", { class: `sample entry ${kind}`, "aria-hidden": "true" }), words);
  return make("ul", { class: "legend", "aria-label": "What the shapes mean" },
    sample("visit", "Visit"), sample("class", "Class"), sample("block", "Blocked out"), sample("gap", "Free"),
    make("li", {}, word("arrived", "arrived", "Arrived")), make("li", {}, word("missed", "missed", "No-show")),
    make("li", {}, word("clash", "clash", "Clash")), make("li", {}, word("alert", "alert", "Medical alert")));
}

/** All entries as a table: the same for those who hear the page, and for whoever likes tables better. */
function sheetTable(sheets) {
  const several = new Set(sheets.map((sheet) => sheet.day)).size > 1;
  const rows = sheets.flatMap((sheet) => {
    const place = [sheet.practitioner, sheet.site];
    const day = several ? [dayWords(sheet.day, true)] : [];
    const timed = [
      ...[...sheet.over, ...sheet.entries].map((entry) => ({ start: entry.start, row: [...day, timeOf(entry), ...place,
        entry.who, entry.kind === "visit" ? entry.what : { class: "Class", block: "Blocked out" }[entry.kind],
        stateWords(entry)] })),
      ...sheet.gaps.map((gap) => ({ start: gap.start, row: [...day, spanWords(gap.start, gap.end), ...place, "",
        "Free", ""] })),
    ];
    return timed.sort((a, b) => a.start - b.start).map((line) => line.row);
  });
  const headings = [...(several ? ["Day"] : []), "Time", "With", "Where", "Who", "What", "State"];
  return table(headings, rows, "The diary as a table");
}

function stateWords(entry) {
  const people = entry.attendees.map((person) => `${person.who}${person.state ? ` (${person.state})` : ""}`).join(", ");
  return [entry.state === "cancelled" ? `Cancelled${entry.reason ? `: ${entry.reason}` : ""}` : STATES[entry.state] || "",
    entry.clashes.length ? `Clash: ${[...new Set(entry.clashes)].join(", ")}` : "", entry.alert ? "Medical alert" : "",
    entry.left !== undefined ? `${entry.left} of ${entry.places} places free` : "", people, entry.notes,
  ].filter(Boolean).join("; ");
}
