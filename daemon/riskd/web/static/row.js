// One portfolio in the overview: its status and each limit with figure, state and age, on a line or two.

import { Badge } from "./badge.js";
import { el } from "./dom.js";
import { percent } from "./format.js";
import { figureFor, limitBar, saidOf, stateText } from "./limits.js";
import { address } from "./route.js";

function limitLine(report, limit) {
  const said = saidOf(limit);
  return el(
    "li",
    { class: "limit-line", "data-state": limit.state },
    el("span", { class: "limit-name" }, limit.name),
    limitBar(limit, figureFor(report, limit)),
    el("span", { class: "digest-text" }, el("b", { class: "figure" }, percent(limit.cvar)), ` of ${percent(limit.max_cvar)}`),
    el("span", { class: "state" }, stateText(report, limit), said ? el("span", { class: "quiet" }, `, ${said}`) : null),
  );
}

function nearness(limit) {
  return typeof limit.cvar === "number" ? limit.cvar / limit.max_cvar : Infinity;
}

export class Row {
  #badge = new Badge();
  #name = el("a", { class: "name" });
  #facts = el("span", { class: "facts quiet" });
  #limits = el("ul", { class: "limit-lines" });
  #key = "";

  constructor(name) {
    this.name = name;
    this.#name.textContent = name;
    this.#name.setAttribute("href", address("portfolio", name));
    this.element = el(
      "li",
      { class: "row" },
      el("div", { class: "row-head" }, ...this.#badge.parts, el("h2", {}, this.#name), this.#facts),
      this.#limits,
    );
  }

  update(report) {
    const key = JSON.stringify(report);
    if (key === this.#key) return;
    this.#key = key;
    this.element.dataset.status = report.status;
    this.#badge.show(report.status);
    this.#facts.textContent = `grade ${report.grade}, ${report.session}${report.frozen ? `, frozen by ${report.frozen.author}` : ""}`;
    const worstFirst = [...report.limits].sort((a, b) => nearness(b) - nearness(a));
    const none = el("li", { class: "quiet" }, "no limits");
    this.#limits.replaceChildren(...(worstFirst.length ? worstFirst.map((limit) => limitLine(report, limit)) : [none]));
  }

  setFresh(fresh) {
    this.#badge.setFresh(fresh);
  }
}
