// Open breaches, and the way to say that they are known or to keep them quiet for a while.

import { el } from "./dom.js";
import { percent } from "./format.js";
import { saidOf, stateText } from "./limits.js";
import { quiet } from "./panel.js";
import { address } from "./route.js";
import { command, sayer } from "./say.js";
import { credentials } from "./token.js";

const HOURS = [1, 4, 8, 24];

function form(report, limit, link) {
  const about = { portfolio: report.portfolio, limit: limit.name };
  const hours = el("select", { name: "hours" }, ...HOURS.map((h) => el("option", { value: h, selected: h === 8 }, `${h} h`)));
  const beside = el("label", { class: "beside" }, el("span", { class: "unseen" }, `Hours of silence for ${limit.name} of ${report.portfolio}`), hours);
  const choices = [command("acknowledge", "ack", () => about), command("silence for", "silence", () => ({ ...about, hours: Number(hours.value) }))];
  return sayer(link, `Why, for ${limit.name} of ${report.portfolio}`, choices, { beside });
}

// One open breach: what it says changes, its form stays, for somebody may be typing.
class Breach {
  #state = el("span", { class: "state" });
  #figures = el("p");

  constructor(report, limit, link) {
    const name = el("b", {}, el("a", { href: address("portfolio", report.portfolio) }, report.portfolio), ` / ${limit.name}`);
    this.element = el("li", { class: "breach" }, el("div", { class: "limit-head" }, name, this.#state), this.#figures, form(report, limit, link));
  }

  update(report, limit) {
    const said = saidOf(limit);
    this.element.dataset.state = limit.state;
    this.#state.textContent = stateText(report, limit);
    this.#figures.replaceChildren(`CVaR ${percent(limit.cvar)} of ${percent(limit.max_cvar)}`, ...(said ? [el("span", { class: "quiet" }, `, ${said}`)] : []));
  }
}

export class Breaches {
  #link;
  #open = new Map();
  #who = credentials();
  #list = el("ul", { id: "breaches", class: "cards", "aria-label": "Open breaches" });

  constructor(link) {
    this.#link = link;
    this.element = el("div", { class: "stack" }, this.#who, this.#list);
  }

  show(reports) {
    const found = reports.flatMap((report) => report.limits.filter((l) => l.since).map((limit) => [JSON.stringify([report.portfolio, limit.name]), report, limit]));
    const kept = new Map();
    for (const [key, report, limit] of found) {
      kept.set(key, this.#open.get(key) ?? new Breach(report, limit, this.#link));
      kept.get(key).update(report, limit);
    }
    const same = kept.size > 0 && [...kept.keys()].join() === [...this.#open.keys()].join();
    this.#open = kept;
    this.#who.hidden = kept.size === 0;
    if (!same) this.#list.replaceChildren(...(kept.size ? [...kept.values()].map((b) => b.element) : [el("li", {}, quiet("No breach is open."))]));
  }
}
