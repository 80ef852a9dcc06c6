// Days and times as the clinic's answers give them: local to the site, and never the browser's own.
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MIDNIGHT = 1440;

/** Minutes since the local midnight: of "09:30", 570. */
function minutesOf(clock) {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
}

/** 570 as "9:30 am". */
function clockWords(minutes) {
  const hour = Math.floor(minutes / 60) % 24, rest = minutes % 60;
  if (rest === 0 && hour === 12) return "noon";
  return `${hour % 12 || 12}:${String(rest).padStart(2, "0")} ${hour < 12 ? "am" : "pm"}`;
}

/** 540 as "9 am", beside the columns. */
function hourWords(minutes) {
  const hour = Math.floor(minutes / 60) % 24;
  return hour === 12 ? "noon" : `${hour % 12 || 12} ${hour < 12 ? "am" : "pm"}`;
}

/** "9:30–10:00 am", "11:30 am – 12:15 pm", and to midnight where the day ends. */
function spanWords(start, end) {
  if (end >= MIDNIGHT) return start <= 0 ? "all day" : `${clockWords(start)} – midnight`;
  const same = start < 720 === end < 720 && end !== 720 && start !== 720;
  return same ? `${clockWords(start).slice(0, -3)}–${clockWords(end)}` : `${clockWords(start)} – ${clockWords(end)}`;
}

/** 90 as "1 h 30 min". */
function lengthWords(minutes) {
  const hours = Math.floor(minutes / 60), rest = minutes % 60;
  return [hours ? `${hours} h` : "", rest || !hours ? `${rest} min` : ""].filter(Boolean).join(" ");
}

function dateOf(day) {
  const [year, month, date] = day.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date));
}

/** The day so many days after "2026-11-25". */
function addDays(day, number) {
  return new Date(dateOf(day).getTime() + number * 86400000).toISOString().slice(0, 10);
}

function mondayOf(day) {
  return addDays(day, -((dateOf(day).getUTCDay() + 6) % 7));
}

/** "2026-11-25" as "Wednesday 25 November 2026", or short as "Wed 25 Nov". */
function dayWords(day, short = false) {
  const date = dateOf(day), weekday = DAYS[date.getUTCDay()], month = MONTHS[date.getUTCMonth()];
  if (short) return `${weekday.slice(0, 3)} ${date.getUTCDate()} ${month.slice(0, 3)}`;
  return `${weekday} ${date.getUTCDate()} ${month} ${date.getUTCFullYear()}`;
}

/** A span of days as a heading: "30 November – 6 December 2026". */
function daysWords(first, last) {
  if (first === last) return dayWords(first);
  const [a, b] = [dateOf(first), dateOf(last)];
  const year = a.getUTCFullYear() === b.getUTCFullYear() ? "" : ` ${a.getUTCFullYear()}`;
  const month = year || a.getUTCMonth() !== b.getUTCMonth() ? ` ${MONTHS[a.getUTCMonth()]}` : "";
  return `${a.getUTCDate()}${month}${year} – ${b.getUTCDate()} ${MONTHS[b.getUTCMonth()]} ${b.getUTCFullYear()}`;
}

/** The stretches of "09:30-10:00, 2026-11-25 22:00 to 2026-11-26 24:00" within a day, in its minutes. */
function stretchesOf(text, day) {
  return (text || "").split(", ").filter(Boolean).map((part) => stretchOf(part, day));
}

function stretchOf(text, day) {
  const dated = text.match(/^(\S{10}) (\S{5}) to (\S{10}) (\S{5})$/);
  if (dated) {
    const [, first, from, last, to] = dated;
    return { start: first < day ? 0 : minutesOf(from), end: last > day ? MIDNIGHT : minutesOf(to), whole: text };
  }
  const [from, to] = text.split("-");
  const start = minutesOf(from), end = minutesOf(to);
  // Where the clocks go back, an end may stand before its beginning: an hour is read twice.
  return { start, end: end > start ? end : Math.min(end + 60, MIDNIGHT), twice: end <= start };
}

/** The first and last day that a phrase of an answer names, or null. */
function daysIn(when) {
  const found = [...when.matchAll(/\b(\d{1,2}) ([A-Z][a-z]+) (\d{4})\b/g)].filter((match) => MONTHS.includes(match[2]));
  if (!found.length) return null;
  const days = found.map(([, date, month, year]) =>
    `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, "0")}-${date.padStart(2, "0")}`);
  return { first: days[0], last: days[days.length - 1] };
}

/**
 * The zone of each site, null where the answer does not tell: of several it says "(Australia/Sydney at Northside, ...)",
 * or "at Northside Tuesday ... (Australia/Sydney); at ...".
 */
function zonesIn(when, sites, usual) {
  const inside = (when.match(/\((.*)\)$/) || ["", ""])[1];
  const told = [
    ...inside.split(/, (?=\w+\/)/).map((part) => part.match(/^(?<zone>\S+) at (?<names>.*)$/)),
    ...when.split("; ").map((part) => part.match(/^at (?<names>.*?) [A-Z][a-z]+day .*\((?<zone>\S+)\)$/)),
  ].filter(Boolean).map((match) => match.groups);
  const unsure = sites.length > 1 && /\d{4} \d\d:/.test(when);
  const zoneOf = (site) => {
    const found = told.find(({ names }) => names === site || names.split(/, | and /).includes(site));
    return found ? found.zone : told.length || unsure ? null : usual;
  };
  return Object.fromEntries(sites.map((site) => [site, zoneOf(site)]));
}

function wallClock(instant, zone) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(instant);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return { day: `${part.year}-${part.month}-${part.day}`, minutes: Number(part.hour) * 60 + Number(part.minute) };
}

/** What a person has to know of a day on which the clocks of a zone change, else "". */
function clockChange(day, zone) {
  const at = (instant) => {
    const { day: date, minutes } = wallClock(instant, zone);
    return (dateOf(date).getTime() / 60000 + minutes) - instant.getTime() / 60000;
  };
  const noon = dateOf(day).getTime() + 12 * 3600000;
  const offset = at(new Date(noon));
  let low = noon - offset * 60000 - 12 * 3600000;
  const before = at(new Date(low)), after = at(new Date(low + 86400000));
  if (before === after) return "";
  let high = low + 86400000;
  while (high - low > 60000) {
    const middle = Math.floor((low + high) / 120000) * 60000;
    if (at(new Date(middle)) === before) low = middle;
    else high = middle;
  }
  const then = clockWords(wallClock(new Date(low), zone).minutes + 1);
  const change = lengthWords(Math.abs(after - before));
  return `The clocks go ${after > before ? "forward" : "back"} by ${change} at ${then} on this day (${zone}).`;
}
