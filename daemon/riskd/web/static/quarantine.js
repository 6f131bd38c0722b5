// Prices that wait for a decision, and the way to decide.

import { el } from "./dom.js";
import { quiet } from "./panel.js";
import { sayer } from "./say.js";
import { credentials } from "./token.js";

function command(held) {
  return `riskd data approve ${held.symbol} ${held.session} --reason "..."`;
}

function decision(held, link, onDecided) {
  const choices = ["approve", "reject"].map((verdict) => ({
    text: verdict,
    path: "api/v1/data/decisions",
    body: () => ({ symbol: held.symbol, session: held.session, verdict }),
    done: () => {
      onDecided();
      return `${verdict === "reject" ? "rejected" : "approved"}; the session is judged again within a minute.`;
    },
  }));
  return sayer(link, `Why, for ${held.symbol} of ${held.session}`, choices);
}

function doubt(held, link, onDecided) {
  const decided = held.decision ? el("p", {}, `${held.decision.verdict} by ${held.decision.author}`) : null;
  return el(
    "li",
    { class: "doubt" },
    el("div", { class: "alert-about" }, el("b", {}, `${held.symbol} ${held.rule}`), el("time", { datetime: held.session }, held.session)),
    el("p", {}, held.detail),
    decided,
    ...(decided ? [] : [decision(held, link, onDecided), el("p", { class: "quiet" }, "or ", el("code", {}, command(held)))]),
  );
}

export class QuarantineList {
  #link;
  #onDecided;
  #key = null;
  #list = el("ul", { id: "doubts", class: "cards", "aria-label": "Prices in quarantine" });
  #who = el("div");

  constructor(link, onDecided) {
    this.#link = link;
    this.#onDecided = onDecided;
    this.element = el("div", { class: "stack" }, this.#who, this.#list);
  }

  // Drawn again only when it changed: somebody may be typing.
  show(held) {
    const key = JSON.stringify(held);
    if (key === this.#key) return;
    this.#key = key;
    this.#who.replaceChildren(...(held.some((h) => !h.decision) ? [credentials()] : []));
    const none = el("li", {}, quiet("Nothing is in quarantine."));
    this.#list.replaceChildren(...(held.length ? held.map((h) => doubt(h, this.#link, this.#onDecided)) : [none]));
  }
}
