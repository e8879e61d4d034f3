// A table whose cells come from the event stream: the script of a component of bnlab/ui/live.py. A click on a column's
// title sorts by it, a second one the other way round, a third one not.
import { subscribe, unsubscribe } from "./live_stream.js";

const tables = new WeakMap();     // element -> { data, rows, sorted }, which outlives reruns of the page's script

function number(text) {
  const value = parseFloat(text.replaceAll(",", "").replace("−", "-"));
  return Number.isNaN(value) ? Infinity : value;
}

function sortedRows({ data, rows, sorted: { column, direction } }) {
  const entries = Object.entries(rows);
  if (!direction) return entries;
  const isNumeric = data.columns.find(({ id }) => id === column)?.numeric;
  const order = isNumeric
    ? (first, second) => number(first) - number(second) || 0       // two that are missing: Infinity - Infinity
    : (first, second) => first.localeCompare(second);
  return entries.sort(([, first], [, second]) => direction * order(first[column] ?? "", second[column] ?? ""));
}

function cell(tag, text, column) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (column.numeric) element.className = "numeric";
  return element;
}

function heading(element, table, column) {
  const { sorted } = table;
  const header = cell("th", "", column);
  const button = document.createElement("button");
  button.textContent = column.title;
  button.title = column.help;
  if (column.name) button.ariaLabel = column.name;
  header.scope = "col";
  const direction = sorted.column === column.id ? sorted.direction : 0;
  header.ariaSort = { 0: "none", 1: "ascending", [-1]: "descending" }[direction];
  button.onclick = () => {
    table.sorted = { column: column.id, direction: { 0: 1, 1: -1, [-1]: 0 }[direction] };
    draw(element);
    element.querySelectorAll("th button")[table.data.columns.indexOf(column)].focus();
  };
  header.append(button);
  return header;
}

function draw(element) {
  const table = tables.get(element);
  const { columns } = table.data;
  const head = document.createElement("tr");
  head.append(...columns.map((column) => heading(element, table, column)));
  const body = sortedRows(table).map(([, row]) => {
    const line = document.createElement("tr");
    line.append(...columns.map((column, index) => cell(index ? "td" : "th", row[column.id] ?? "\u00a0", column)));
    line.firstChild.scope = "row";
    return line;
  });
  element.tHead.replaceChildren(head);
  element.tBodies[0].replaceChildren(...body);
}

export default function ({ data, parentElement }) {
  const element = parentElement.querySelector(".live-table table");
  const rows = Object.fromEntries(Array.from({ length: data.rows }, (_, row) => [row, {}]));
  tables.set(element, { rows, sorted: { column: "", direction: 0 }, ...tables.get(element), data });
  draw(element);
  subscribe(element, data.path, (rows) => {
    tables.get(element).rows = rows;
    draw(element);
  });
  return () => unsubscribe(element);
}
