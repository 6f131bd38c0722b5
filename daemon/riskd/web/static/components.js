// What each asset adds to the CVaR of a limit.

import { el, placed } from "./dom.js";
import { level, percent, sessions } from "./format.js";
import { choice, panel, quiet } from "./panel.js";
import { head } from "./table.js";

const MOST_ROWS = 12;

// The largest components, and the sum of the others as one row.
export function largest(contributions, most = MOST_ROWS) {
  if (contributions.length <= most) return contributions;
  const rest = contributions.slice(most - 1);
  const sum = (key) => rest.reduce((total, c) => total + c[key], 0);
  return [...contributions.slice(0, most - 1), { symbol: `${rest.length} others`, weight: sum("weight"), component_cvar: sum("component_cvar") }];
}

function bar(value, low, high) {
  const at = (v) => (v - low) / (high - low || 1);
  const [from, to] = [Math.min(0, value), Math.max(0, value)];
  const fill = placed(el("span", { class: value < 0 ? "span-fill span-good" : "span-fill" }), { from: at(from), to: at(to) });
  return el("div", { class: "span-bar", "aria-hidden": "true" }, fill);
}

function rows(limit) {
  const found = largest(limit.contributions);
  const low = Math.min(0, ...found.map((c) => c.component_cvar));
  const high = Math.max(0, ...found.map((c) => c.component_cvar));
  return found.map((c) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, c.symbol),
      el("td", { class: "bar-cell" }, bar(c.component_cvar, low, high)),
      el("td", {}, percent(c.component_cvar)),
      el("td", { class: "quiet" }, percent(c.component_cvar / limit.cvar, 0)),
      el("td", { class: "quiet" }, percent(c.weight, 1)),
    ),
  );
}

function table(limit) {
  const heads = ["asset", "", "adds", "share", "weight"].map(head);
  return el(
    "table",
    { class: "table bars" },
    el("caption", {}, `To CVaR ${level(limit.level)} over ${sessions(limit.horizon)}, ${percent(limit.cvar)}`),
    el("thead", {}, el("tr", {}, ...heads)),
    el("tbody", {}, ...rows(limit)),
  );
}

export class Components {
  #chosen = null;
  #choice = el("div");
  #box = el("div");
  #limits = [];

  constructor() {
    this.element = panel("What adds to it", { class: "panel components" }, this.#choice, this.#box);
  }

  show(report) {
    this.#limits = report.limits.filter((l) => l.contributions.length > 0);
    if (!this.#limits.length) {
      this.#choice.replaceChildren();
      this.#box.replaceChildren(quiet("No figure, so nothing to take apart."));
      return;
    }
    if (!this.#limits.some((l) => l.name === this.#chosen)) this.#chosen = this.#limits[0].name;
    const key = this.#limits.map((l) => l.name).join();
    if (this.#choice.dataset.key !== key) {
      this.#choice.dataset.key = key;
      const options = this.#limits.map((l) => [l.name, l.name]);
      this.#choice.replaceChildren(...(options.length > 1 ? [choice("Limit", options, this.#chosen, (name) => this.#pick(name))] : []));
    }
    this.#draw();
  }

  #pick(name) {
    this.#chosen = name;
    this.#draw();
  }

  #draw() {
    this.#box.replaceChildren(table(this.#limits.find((l) => l.name === this.#chosen)));
  }
}
