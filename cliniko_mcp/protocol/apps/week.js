// A week of several people: a row for each of them, a cell for each day, in which the day is a strip with its words.

/** The strip of a day: where it is taken, blocked or free, between these two minutes. */
function strip(sheet, first, last) {
  const bar = make("span", { class: "strip", "aria-hidden": "true" });
  const part = (kind, { start, end }) => {
    const left = (100 * (Math.max(start, first) - first)) / (last - first);
    const width = (100 * (Math.min(end, last) - Math.max(start, first))) / (last - first);
    if (width > 0) bar.append(make("span", { class: kind, style: `left: ${left.toFixed(2)}%; width: ${width.toFixed(2)}%` }));
  };
  for (const hours of sheet.hours) part("at-work", hours);
  for (const entry of [...sheet.over, ...sheet.entries].filter(takesTime))
    part(`${entry.kind}${entry.clashes.length ? " clashing" : ""}${entry.state === "did not arrive" ? " missed" : ""}`, entry);
  return bar;
}

function cellOf(sheet, day, off, elsewhere, span, open) {
  const words = [];
  if (sheet) {
    const counts = countsOf([sheet]);
    const booked = counts.visits + counts.classes;
    words.push(make("span", { class: "booked" }, booked ? `${booked} booked` : "Nothing booked"));
    words.push(make("span", { class: "soft" }, counts.free ? `${lengthWords(counts.free)} free` : sheet.hoursTold && sheet.hours.length ? "full" : ""));
    if (counts.clashes) words.push(word("clash", "clash", plural(counts.clashes, "clash", "clashes")));
    if (counts.missed) words.push(word("missed", "missed", plural(counts.missed, "no-show")));
    if (counts.arrived) words.push(word("arrived", "arrived", `${counts.arrived} arrived`));
  }
  const why = elsewhere ? `at ${elsewhere.site}` : [...new Set(off.map((row) => reasonWords(row.why)))].join(", ") || "Not at work";
  const inside = [make("span", { class: "day" }, dayWords(day, true)), sheet ? strip(sheet, ...span) : null,
    make("span", { class: "cell-words" }, words, sheet && sheet.hours.length ? null : make("span", { class: "away" }, why))];
  return make("td", { role: "cell", class: sheet || why !== "Not at work" ? null : "idle" }, open && sheet
    ? make("button", { type: "button", class: "small cell", onclick: () => open(day) }, inside)
    : make("div", { class: "cell" }, inside));
}

function reasonWords(why) {
  return why === "no working hours" ? "Not at work" : why;
}

/** The week as a table; `open(day)` is called for a day, `only(practitioner)` for a person. */
function weekTable(sheets, days, off, open, only) {
  const every = sheets.flatMap((sheet) => [...sheet.hours, ...sheet.entries.filter((entry) => takesTime(entry) && entry.kind !== "block")]);
  const span = [Math.min(480, ...every.map(({ start }) => start)), Math.max(1020, ...every.map(({ end }) => end))];
  const rows = new Map();
  for (const sheet of sheets) rows.set(`${sheet.site}\n${sheet.practitioner}`, [sheet.site, sheet.practitioner]);
  const sites = new Set(sheets.map((sheet) => sheet.site));
  const body = [];
  let site = "";
  for (const [where, who] of [...rows.values()].sort((a, b) => a.join("\n").localeCompare(b.join("\n")))) {
    if (where !== site && sites.size > 1)
      body.push(make("tr", { role: "row", class: "site-row" },
        make("th", { role: "rowheader", scope: "colgroup", colspan: days.length + 1 }, where)));
    site = where;
    body.push(make("tr", { role: "row" },
      make("th", { role: "rowheader", scope: "row" },
        only ? make("button", { type: "button", class: "small link", onclick: () => only(who) }, who) : who),
      days.map((day) => cellOf(
        sheets.find((sheet) => sheet.day === day && sheet.site === where && sheet.practitioner === who), day,
        off.filter((row) => row.practitioner === who && row.day.slice(0, 10) <= day && (row.to || row.day).slice(0, 10) >= day),
        sheets.find((sheet) => sheet.day === day && sheet.site !== where && sheet.practitioner === who), span, open))));
  }
  const heads = days.map((day) => make("th", { role: "columnheader", scope: "col" }, dayWords(day, true)));
  return make("div", { class: "week-scrolls" }, make("table", { class: "week", role: "table", "aria-label": "The week" },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, make("th", { role: "columnheader", scope: "col" }, "Who"), heads)),
    make("tbody", { role: "rowgroup" }, body)));
}
