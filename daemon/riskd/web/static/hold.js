// Whether allocations of a portfolio are proposed at all, and the way to freeze or unfreeze it.

import { el } from "./dom.js";
import { moment } from "./format.js";
import { command, sayer } from "./say.js";
import { credentials } from "./token.js";

function standing(freeze) {
  const words = `No allocation is proposed: frozen by ${freeze.author} since ${moment(Date.parse(freeze.at))}: ${freeze.reason}`;
  return el("p", { class: "frozen", "data-status": "FROZEN" }, words);
}

export class Hold {
  #link;
  #key = null;
  element = el("div", { class: "stack hold" });

  constructor(link) {
    this.#link = link;
  }

  // Drawn again only when it turned: somebody may be typing.
  show(report) {
    const key = JSON.stringify(report.frozen ?? null);
    if (key === this.#key) return;
    this.#key = key;
    const { portfolio, frozen } = report;
    const text = frozen ? "unfreeze" : "freeze";
    const form = sayer(this.#link, `Why, for all of ${portfolio}`, [command(text, text, () => ({ portfolio }))]);
    const summary = frozen ? "Unfreeze: have allocations proposed again" : "Freeze: have no allocation proposed";
    const folded = el("details", { class: "say" }, el("summary", {}, summary), credentials(), form);
    this.element.replaceChildren(...(frozen ? [standing(frozen)] : []), folded);
  }
}
