// Figures as words and as plots: columns over time, a bar for a name, each with its value written beside it.
const SPELT = { pva: "(PVA)", sms: "SMS", id: "ID", ids: "IDs" };
const NAMED = { made_on: "Channel" };
const MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const HEIGHT = 230, LEFT = 58, TOP = 22, BOTTOM = 28, RIGHT = 8, LETTER = 8, BOLD = 10;

function wordsFor(name) {
  if (NAMED[name]) return NAMED[name];
  const words = name.split("_").map((word) => SPELT[word] || word).join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function numberWords(number) {
  return number.toLocaleString("en-AU", { maximumFractionDigits: 2 });
}

function moneyWords(amount) {
  return Number(amount).toLocaleString("en-AU", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function figureWords(figure) {
  const count = figure.count === undefined ? "" : numberWords(figure.count);
  const of = figure.of === undefined ? count : `${count} of ${numberWords(figure.of)}`;
  if (figure.total !== undefined) return of ? `${moneyWords(figure.total)} in ${of}` : moneyWords(figure.total);
  return [of, figure.rate].filter(Boolean).join(", ");
}

function changeWords(change) {
  const signed = (number) => `${number > 0 ? "+" : ""}${numberWords(number)}`;
  return [change.count === undefined ? "" : signed(change.count), change.points === undefined ? "" : `${signed(change.points)} points`,
    change.total === undefined ? "" : `${change.total.startsWith("-") ? "" : "+"}${moneyWords(change.total)} in money`].filter(Boolean).join(", ");
}

/** "2026-11-24T16:30+11:00 Tue" as "Tue 24 Nov 2026, 4:30 pm"; a date or another text as it is meant. */
function valueWords(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return numberWords(value);
  if (Array.isArray(value)) return value.map(valueWords).join("; ");
  if (typeof value === "object") {
    if ("count" in value && "of" in value) return figureWords(value);
    return Object.entries(value).filter(([name]) => !isId(name))
      .map(([name, part]) => (typeof part === "string" ? valueWords(part) : measured(name, part))).join(", ");
  }
  const time = value.match(/^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)[+-]\d\d:\d\d\S* (...)$/);
  if (time) return `${time[6]} ${Number(time[3])} ${MONTH_NAMES[time[2] - 1]} ${time[1]}, ${clockWords(time[4] * 60 + Number(time[5]))}`;
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return timeWords(value);
  return /^-?\d+\.\d\d$/.test(value) ? moneyWords(value) : value;
}

/** A number of an object with its name, or with its unit: "made 3", "2.75 hours". */
function measured(name, value) {
  if (name === "hours") return `${valueWords(value)} ${value === 1 ? "hour" : "hours"}`;
  return `${wordsFor(name).toLowerCase()} ${valueWords(value)}`;
}

const isId = (name) => name === "id" || /_ids?$/.test(name);

/** What the length of a bar stands for: money, a rate of the row's own, else a count. */
function measureOf(rows) {
  if (rows.some((row) => row.total !== undefined))
    return { kind: "money", of: (row) => (row.total === undefined ? null : Number(row.total)), words: (value) => (Number.isInteger(value) ? numberWords : moneyWords)(value) };
  const whole = rows.reduce((sum, row) => sum + (row.count || 0), 0);
  if (rows.some((row) => row.rate !== undefined && Math.abs(row.of - whole) > 0.01))
    return { kind: "rate", of: (row) => (row.rate === undefined ? null : parseFloat(row.rate)), words: (value) => `${numberWords(value)}%` };
  return { kind: "count", of: (row) => (row.count === undefined ? null : row.count), words: numberWords };
}

/** "2026-11" as "Nov 2026", "2026-11-23" as "23 Nov 2026"; any other name as it is. */
function timeWords(name) {
  const time = name.match(/^(\d{4})-(\d\d)(?:-(\d\d))?$/);
  return time ? `${time[3] ? `${Number(time[3])} ` : ""}${MONTH_NAMES[time[2] - 1]} ${time[1]}` : name;
}

function dateOfName(name) {
  const found = name.match(/^(\d{4})-(\d\d)(?:-(\d\d))?$/);
  return found ? Date.UTC(found[1], found[2] - 1, found[3] || 1) : null;
}

/** The weeks or months from the first row to the last; one without a row counts 0, and has no rate. */
function timeColumns(name, rows, measure) {
  const found = new Map(rows.map((row) => [dateOfName(row.name), row]).filter(([day]) => day !== null));
  if (!found.size) return [];
  const last = Math.max(...found.keys()), made = [];
  for (let day = Math.min(...found.keys()); day <= last;) {
    const date = new Date(day), row = found.get(day), month = MONTH_NAMES[date.getUTCMonth()];
    const label = name === "month" ? timeWords(date.toISOString().slice(0, 7)) : `${date.getUTCDate()} ${month}`;
    made.push({ label, value: row ? measure.of(row) : measure.kind === "rate" ? null : 0 });
    day = name === "month" ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) : day + 7 * 86400000;
  }
  return made;
}

/** Where an axis ends, and the round step of its lines. */
function axisOf(most) {
  const rough = Math.max(most, 1) / 4, size = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((part) => part * size).find((one) => one >= rough));
  return { top: step * Math.max(1, Math.ceil(most / step)), step };
}

/** Columns over time, so many pixels wide, with a line at the level of the whole. */
function trendPlot(columns, measure, level, title, width) {
  const { top, step } = axisOf(Math.max(0, level || 0, ...columns.map((column) => column.value || 0)));
  const across = (width - LEFT - RIGHT) / columns.length;
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.max(value, 0)) / top;
  const parts = [], over = [];
  for (let value = 0; value <= top + step / 2; value += step)
    parts.push(drawing("path", { class: "grid", d: `M${LEFT} ${y(value)}H${width - RIGHT}` }),
      drawing("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, measure.words(value)));
  const letters = Math.max(...columns.map((column) => column.label.length));
  const every = Math.max(1, Math.ceil(((letters + 1) * LETTER) / across));
  const told = Math.max(...columns.map((column) => measure.words(column.value || 0).length)) * BOLD <= across;
  columns.forEach(({ label, value }, place) => {
    const middle = LEFT + across * (place + 0.5);
    if (place % every === 0 && middle + (letters * LETTER) / 2 <= width)
      parts.push(drawing("text", { x: middle, y: HEIGHT - 8, "text-anchor": "middle" }, label));
    if (value === null) return;
    const broad = Math.min(across * 0.7, 64);
    parts.push(drawing("rect", { class: "bar", x: middle - broad / 2, y: y(value), width: broad, height: HEIGHT - BOTTOM - y(value), rx: 2 }));
    if (told) over.push(drawing("text", { class: "value", x: middle, y: y(value) - 5, "text-anchor": "middle" }, measure.words(value)));
  });
  if (level !== null) parts.push(drawing("path", { class: "level", d: `M${LEFT} ${y(level)}H${width - RIGHT}` }));
  return drawing("svg", { role: "img", "aria-label": title, viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT }, parts, over);
}

/** A bar as wide as its cell: the share of the longest, with a line at the level of the whole. */
function barPlot(value, most, level) {
  const long = most > 0 ? (100 * Math.max(value || 0, 0)) / most : 0;
  return drawing("svg", { class: "across", "aria-hidden": "true", width: "100%", height: 14 },
    drawing("rect", { class: "track", y: 2, width: "100%", height: 10, rx: 3 }),
    drawing("rect", { class: "bar", y: 2, width: `${long}%`, height: 10, rx: 3 }),
    level && most > 0 ? drawing("rect", { class: "level", x: `${(100 * level) / most}%`, y: 0, width: 2, height: 14 }) : null);
}
