// Makes elements. Names and notes that people wrote only ever become text: nothing here reads markup.
const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  arrived: "M3 8.5l3.2 3.2L13 4.8",
  missed: "M4 4l8 8M12 4l-8 8",
  alert: "M8 2.2L14.6 13.6H1.4zM8 6.4v3.2M8 11.6v.4",
  clash: "M5.6 2.4a5.6 5.6 0 1 0 0 11.2a5.6 5.6 0 1 0 0-11.2M10.4 2.4a5.6 5.6 0 1 1 0 11.2",
  class: "M5.2 7a2.2 2.2 0 1 0 0-4.4a2.2 2.2 0 0 0 0 4.4M11.4 7.4a1.8 1.8 0 1 0 0-3.6M1.4 13.4c0-5 7.6-5 7.6 0M10.6 9.6c2.6-.6 4 1.2 4 3.8",
  cancelled: "M2.4 8h11.2",
};

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** An element with these attributes; texts among the children stay texts. */
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function drawing(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function icon(name) {
  const path = drawing("path", { d: PATHS[name], fill: "none", stroke: "currentColor", "stroke-width": 1.8 });
  return drawing("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, path);
}

/** A text in which a line may end within a very long word. */
function breakable(text) {
  if (typeof text !== "string") return text;
  return text.split(/(?<=\S{24})(?=\S)/).flatMap((part, place) => (place ? [make("wbr"), part] : [part]));
}

/** A table under a heading for each column; on a narrow page each row becomes a list of its own. */
function table(headings, rows, label, numbers = []) {
  const side = (place) => (numbers.includes(place) ? "number" : null);
  const head = headings.map((words, place) =>
    make("th", { role: "columnheader", scope: "col", class: side(place) }, words));
  const body = rows.map((cells) =>
    make("tr", { role: "row" }, cells.map((cell, place) =>
      place === 0
        ? make("th", { role: "rowheader", scope: "row", class: side(place) }, breakable(cell))
        : make("td", { role: "cell", class: side(place), "data-label": headings[place] }, breakable(cell)))));
  return make("table", { class: "stacks", role: "table", "aria-label": label },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head)),
    make("tbody", { role: "rowgroup" }, body));
}

function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en-AU")} ${count === 1 ? one : many}`;
}
