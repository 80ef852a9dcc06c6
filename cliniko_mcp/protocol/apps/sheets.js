// The answers of show_diary as sheets: what stands in one practitioner's day at one site, in minutes of that day.
const STATES = { "arrived": "Arrived", "did not arrive": "Did not arrive" };

/** The sheets of an answer, those of a run sheet taken apart by practitioner. */
function sheetsOf(answer) {
  const sheets = [];
  for (const row of answer.items || []) {
    const day = row.day.slice(0, 10);
    const named = row.practitioner !== undefined;
    const people = named ? [row.practitioner] : [...new Set([
      ...Object.keys(row.free || {}), ...[...row.entries, ...(row.began_before || [])].map((entry) => entry.practitioner),
    ])].sort();
    const hours = named ? stretchesOf(row.hours, day) : hull([
      ...Object.values(row.free || {}).flatMap((gaps) => stretchesOf(gaps, day)),
      ...row.entries.map((entry) => entryOf(entry, day)).filter(takesTime)]);
    for (const practitioner of people) {
      const theirs = (rows) => (rows || []).filter((entry) => named || entry.practitioner === practitioner);
      sheets.push({
        day, practitioner: practitioner || "", site: row.business, hours,
        hoursTold: named, // a run sheet does not tell them
        gaps: stretchesOf(named ? row.gaps : (row.free || {})[practitioner], day),
        entries: theirs(row.entries).map((entry) => entryOf(entry, day)),
        over: theirs(row.began_before).map((entry) => ({ ...entryOf(entry, day), over: true })),
      });
    }
  }
  return sheets;
}

/** From the first start to the last end, as a list of one; of nothing an empty one. */
function hull(stretches) {
  return stretches.length
    ? [{ start: Math.min(...stretches.map(({ start }) => start)), end: Math.max(...stretches.map(({ end }) => end)) }] : [];
}

/** The sheets of several answers as one: what a later one has of the same day stands with the earlier. */
function joined(parts) {
  const found = new Map();
  for (const sheet of parts.flat()) {
    const key = [sheet.day, sheet.site, sheet.practitioner].join("\n");
    const first = found.get(key);
    if (!first) {
      found.set(key, sheet);
      continue;
    }
    const seen = new Set([...first.entries, ...first.over].map((entry) => entry.id));
    first.entries.push(...sheet.entries.filter((entry) => !seen.has(entry.id)));
    first.over.push(...sheet.over.filter((entry) => !seen.has(entry.id)));
  }
  for (const sheet of found.values()) markClashes(sheet);
  return [...found.values()].sort((a, b) => order(a).localeCompare(order(b)));
}

function order(sheet) {
  return [sheet.day, sheet.site, sheet.practitioner].join("\n");
}

function entryOf(row, day) {
  const stretch = stretchOf(row.at.split(", ")[0], day);
  const kind = row.block !== undefined ? "block" : row.attendees !== undefined ? "class" : "visit";
  return {
    ...stretch, id: row.id, kind,
    who: kind === "visit" ? row.patient || "No name" : kind === "block" ? row.block : row.type || "Class",
    what: kind === "visit" ? row.type || "" : "",
    patientId: row.patient_id || "",
    state: row.cancelled ? "cancelled" : row.attendance || "",
    reason: row.reason || "", alert: row.alert === true, phones: row.phones || [],
    places: row.places, left: row.places_left,
    attendees: (row.attendees || []).map((person) => ({
      who: person.patient || "No name", id: person.patient_id || "", alert: person.alert === true, phones: person.phones || [],
      state: person.cancelled ? "cancelled" : person.attendance || "",
    })),
    notes: (row.free_text || {}).notes || "", clashes: [],
  };
}

const meets = (a, b) => a.start < b.end && b.start < a.end;
const takesTime = (entry) => entry.state !== "cancelled";

/** Say of each booking with what it clashes: another booking of the same practitioner, or blocked-out time. */
function markClashes(sheet) {
  const all = [...sheet.over, ...sheet.entries].filter(takesTime);
  for (const entry of all) entry.clashes = [];
  for (const entry of all.filter((one) => one.kind !== "block"))
    for (const other of all)
      if (other !== entry && meets(entry, other)) entry.clashes.push(other.kind === "block" ? `in ${other.who}` : other.who);
}

/** Counts over sheets: patients once each, entries, attendance, free minutes. */
function countsOf(sheets) {
  const found = { visits: 0, classes: 0, blocks: 0, arrived: 0, missed: 0, cancelled: 0, clashes: 0, free: 0 };
  const patients = new Map();
  found.clashes = new Set(sheets.flatMap((sheet) => [...sheet.over, ...sheet.entries])
    .filter((entry) => takesTime(entry) && entry.clashes.length).map((entry) => entry.id)).size;
  for (const sheet of sheets) {
    found.free += sheet.gaps.reduce((sum, gap) => sum + gap.end - gap.start, 0);
    for (const entry of sheet.entries) {
      const places = entry.kind === "class" ? entry.attendees
        : entry.kind === "visit" ? [{ id: entry.patientId || entry.id, state: entry.state, alert: entry.alert }] : [];
      if (takesTime(entry)) found[{ visit: "visits", class: "classes", block: "blocks" }[entry.kind]] += 1;
      for (const place of places) {
        if (place.state === "cancelled" || !takesTime(entry)) found.cancelled += 1;
        else patients.set(place.id, patients.get(place.id) || place.alert);
        if (place.state === "arrived") found.arrived += 1;
        if (place.state === "did not arrive") found.missed += 1;
      }
    }
  }
  return { ...found, patients: patients.size, alerts: [...patients.values()].filter(Boolean).length };
}

/** The counts as a person reads them, most wanted first; what there is none of is left out. */
function countWords(counts) {
  return [
    counts.visits ? plural(counts.visits, "visit") : "",
    counts.classes ? plural(counts.classes, "class", "classes") : "",
    counts.arrived ? `${counts.arrived} arrived` : "",
    counts.missed ? plural(counts.missed, "no-show") : "",
    counts.cancelled ? `${counts.cancelled} cancelled` : "",
    counts.clashes ? plural(counts.clashes, "booking that clashes", "bookings that clash") : "",
    counts.alerts ? plural(counts.alerts, "medical alert") : "",
    counts.free ? `${lengthWords(counts.free)} free` : "",
  ].filter(Boolean);
}
