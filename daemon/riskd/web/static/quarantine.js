// Prices that wait for a decision, and the way to decide.

import { el } from "./dom.js";
import { quiet } from "./panel.js";
import { bearer, credentials, speaker } from "./token.js";

function command(held) {
  return `riskd data approve ${held.symbol} ${held.session} --reason "..."`;
}

function decision(held, link, onDecided) {
  const reason = el("input", { type: "text", name: "reason", maxlength: 500, required: true, autocomplete: "off" });
  const said = el("p", { class: "said", role: "status" });
  const buttons = ["approve", "reject"].map((verdict) => {
    const button = el("button", { type: "button" }, verdict);
    button.addEventListener("click", () => decide(verdict));
    return button;
  });
  async function decide(verdict) {
    const body = { symbol: held.symbol, session: held.session, verdict, author: speaker(), reason: reason.value.trim() };
    const lacks = !body.author ? "Say who you are." : !bearer() ? "The token is needed." : !body.reason ? "Say why." : null;
    said.textContent = lacks ?? "Sending.";
    if (lacks) return;
    try {
      await link.post("api/v1/data/decisions", body, bearer());
      said.textContent = `${verdict}d; the session is judged again within a minute.`;
      onDecided();
    } catch (error) {
      said.textContent = error.message;
    }
  }
  return el("div", { class: "decide" }, el("label", { class: "field" }, el("span", {}, `Why, for ${held.symbol} of ${held.session}`), reason), el("div", { class: "buttons" }, ...buttons), said);
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
