// Open breaches, and the way to say that they are known or to keep them quiet for a while.

import { el } from "./dom.js";
import { percent } from "./format.js";
import { saidOf, stateText } from "./limits.js";
import { quiet } from "./panel.js";
import { address } from "./route.js";
import { bearer, credentials, speaker } from "./token.js";

const HOURS = [1, 4, 8, 24];

// An id of its own for each press, so that a command sent twice is heeded once.
function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `page-${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
}

function lacking(body) {
  if (!body.author) return "Say who you are.";
  if (!bearer()) return "The token is needed.";
  return body.reason ? null : "Say why.";
}

function form(report, limit, link) {
  const reason = el("input", { type: "text", name: "reason", maxlength: 500, autocomplete: "off" });
  const hours = el("select", { name: "hours" }, ...HOURS.map((h) => el("option", { value: h, selected: h === 8 }, `${h} h`)));
  const said = el("p", { class: "said", role: "status" });
  async function send(name, extra) {
    const body = { id: freshId(), portfolio: report.portfolio, limit: limit.name, author: speaker(), reason: reason.value.trim(), ...extra };
    const lacks = lacking(body);
    said.textContent = lacks ?? "Sending.";
    if (lacks) return;
    try {
      const receipt = await link.post(`api/v1/commands/${name}`, body, bearer());
      said.textContent = receipt?.detail ? `${receipt.status}: ${receipt.detail}` : "Taken.";
    } catch (error) {
      said.textContent = error.message;
    }
  }
  const acknowledge = el("button", { type: "button" }, "acknowledge");
  acknowledge.addEventListener("click", () => send("ack", {}));
  const silence = el("button", { type: "button" }, "silence for");
  silence.addEventListener("click", () => send("silence", { hours: Number(hours.value) }));
  const span = el("label", { class: "beside" }, el("span", { class: "unseen" }, `Hours of silence for ${limit.name} of ${report.portfolio}`), hours);
  const why = el("label", { class: "field" }, el("span", {}, `Why, for ${limit.name} of ${report.portfolio}`), reason);
  return el("div", { class: "decide" }, why, el("div", { class: "buttons" }, acknowledge, silence, span), said);
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
