// Weights over time: one line an asset, all on the same scale.

import { el, shape } from "./dom.js";
import { percent } from "./format.js";
import { panel, quiet } from "./panel.js";
import { head } from "./table.js";

const MOST_ROWS = 12;
const CASH = "cash";

// [{name, values, newest}] of the assets that weigh most now or ever, cash last; values are oldest first.
export function weightLines(rows, most = MOST_ROWS) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.weights)))];
  const of = (name) => rows.map((row) => (name === CASH ? row.cash : (row.weights[name] ?? 0)));
  const lines = names.map((name) => ({ name, values: of(name) }));
  lines.sort((a, b) => Math.max(...b.values) - Math.max(...a.values) || a.name.localeCompare(b.name));
  const shown = lines.slice(0, lines.length > most ? most - 1 : most);
  const rest = lines.slice(shown.length);
  if (rest.length) shown.push({ name: `${rest.length} others`, values: rows.map((_, i) => rest.reduce((sum, line) => sum + line.values[i], 0)) });
  if (rows.some((row) => Math.abs(row.cash) > 1e-9)) shown.push({ name: CASH, values: of(CASH) });
  return shown;
}

// Steps: a weight is held until the next session.
function line(values, most) {
  const count = values.length;
  const y = (value) => (20 - (Math.max(0, value) / most) * 18).toFixed(2);
  const points = values.flatMap((value, i) => [`${((i / count) * 100).toFixed(2)},${y(value)}`, `${(((i + 1) / count) * 100).toFixed(2)},${y(value)}`]);
  return shape(
    "svg",
    { class: "steps", viewBox: "0 0 100 22", preserveAspectRatio: "none", "aria-hidden": "true" },
    shape("polygon", { class: "steps-area", points: `0,20 ${points.join(" ")} 100,20` }),
    shape("polyline", { class: "steps-line", points: points.join(" ") }),
  );
}

export class Weights {
  #box = el("div");

  constructor() {
    this.element = panel("Weights over time", { class: "panel weights-over-time" }, this.#box);
  }

  // rows: reports, oldest first
  show(rows) {
    if (!rows.length) {
      this.#box.replaceChildren(quiet("No history yet."));
      return;
    }
    const lines = weightLines(rows);
    const most = Math.max(...lines.flatMap((l) => l.values), 0.01);
    const heads = ["asset", "", rows[0].session, rows.at(-1).session].map(head);
    const body = lines.map((l) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, l.name),
        el("td", { class: "bar-cell" }, line(l.values, most)),
        el("td", { class: "quiet" }, percent(l.values[0], 1)),
        el("td", {}, percent(l.values.at(-1), 1)),
      ),
    );
    this.#box.replaceChildren(
      el("table", { class: "table bars" }, el("caption", {}, "As configured in each session, on one scale"), el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...body)),
    );
  }
}
