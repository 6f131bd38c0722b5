// The what-if form: what would be done, how it is measured and what it must respect.

import { el } from "./dom.js";
import { level, sessions } from "./format.js";

const WAYS = [
  ["trades", "These trades"],
  ["profit", "Most expected profit within the limits"],
  ["cvar", "Least CVaR"],
  ["none", "Nothing: measure what is held"],
];
const RANGE = /^(\S+)\s+(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)\s*%?$/;

const number = (name, attributes = {}) => el("input", { type: "number", name, min: 0, step: "any", inputmode: "decimal", ...attributes });
const field = (text, input, hint = null) => el("label", { class: "field" }, el("span", {}, text, hint ? el("small", { class: "quiet" }, ` ${hint}`) : null), input);

// "SPY 0 to 20" a line or comma, in percent -> {SPY: [0, 0.2]}; throws on what it cannot read.
export function bounds(text) {
  const parts = text.split(/[\n,;]/).map((part) => part.trim()).filter(Boolean);
  return Object.fromEntries(
    parts.map((part) => {
      const found = RANGE.exec(part);
      if (!found) throw new Error(`bounds: ${part}: write SPY 0 to 20, in percent of value`);
      return [found[1], [Number(found[2]) / 100, Number(found[3]) / 100]];
    }),
  );
}

const fraction = (text) => (text.trim() === "" ? null : Number(text) / 100);

export class Question {
  #name;
  #key = null;
  #onAsk;
  #trades = el("textarea", { name: "trades", rows: 2, maxlength: 2000, spellcheck: "false", placeholder: "sell 2% AAPL buy JNJ" });
  #ways = el("fieldset", { class: "ways-of" }, el("legend", {}, "What would be done"));
  #horizon = el("select", { name: "horizon" });
  #level = el("select", { name: "level" });
  #limit = number("limit", { max: 100 });
  #inputs = { max_weight: number("max_weight"), max_turnover: number("max_turnover"), max_cash: number("max_cash") };
  #bounds = el("textarea", { name: "bounds", rows: 2, maxlength: 2000, spellcheck: "false", placeholder: "JNJ 0 to 20, KO 5 to 30" });
  #keep = el("input", { type: "checkbox", name: "keep_limits" });
  #button = el("button", { type: "submit", class: "main" }, "Ask");
  #said = el("p", { class: "said", role: "status" });

  constructor(name, onAsk) {
    this.#name = name;
    this.#onAsk = onAsk;
    const radios = WAYS.map(([value, text], i) => el("label", { class: "pick" }, el("input", { type: "radio", name: "way", value, checked: i === 0 }), text));
    this.#ways.append(...radios, field("Trades", this.#trades, "in words: sell, buy, rotate; 2%, 50 shares, half, all"));
    this.#ways.addEventListener("change", () => { this.#trades.disabled = this.#way !== "trades"; });
    const measure = el("div", { class: "fields three" }, field("Horizon", this.#horizon), field("Confidence", this.#level), field("Loss limit, %", this.#limit));
    const [weight, turnover, cash] = Object.values(this.#inputs);
    const own = el("div", { class: "fields three" }, field("Most weight, %", weight), field("Most turnover, %", turnover), field("Most cash, %", cash));
    const more = el("details", { class: "more" }, el("summary", {}, "Bounds: empty means as configured"), own, field("By symbol, %", this.#bounds), el("label", { class: "pick" }, this.#keep, "an optimum keeps the portfolio's own limits too"));
    this.element = el("form", { class: "question", novalidate: true }, this.#ways, measure, more, el("div", { class: "buttons" }, this.#button), this.#said);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
  }

  // Horizons and levels are those that are simulated and reported.
  offer(report) {
    const horizons = [...new Set(report.figures.map((f) => f.horizon))];
    const levels = [...new Set(report.figures.map((f) => f.level))];
    const key = JSON.stringify([horizons, levels]);
    if (key === this.#key || !horizons.length) return;
    this.#key = key;
    const first = report.limits[0] ?? { horizon: horizons[0], level: levels[0] };
    this.#horizon.replaceChildren(...horizons.map((h) => el("option", { value: h, selected: h === first.horizon }, sessions(h))));
    this.#level.replaceChildren(...levels.map((l) => el("option", { value: l, selected: l === first.level }, level(l))));
  }

  get #way() {
    return this.element.querySelector("input[name=way]:checked").value;
  }

  // The body of api/v1/what-if; fractions, and only what was filled in.
  asked() {
    const way = this.#way;
    const body = { portfolio: this.#name, horizon: Number(this.#horizon.value), level: Number(this.#level.value), frontier: true };
    if (way === "trades") body.trades = this.#trades.value.trim();
    if (way === "profit" || way === "cvar") body.optimise = way;
    const limit = fraction(this.#limit.value);
    if (limit !== null) body.limit = limit;
    for (const [name, input] of Object.entries(this.#inputs)) if (fraction(input.value) !== null) body[name] = fraction(input.value);
    const own = bounds(this.#bounds.value);
    if (Object.keys(own).length) body.bounds = own;
    if (this.#keep.checked) body.keep_limits = true;
    if (way === "trades" && !body.trades) throw new Error("Say which trades, for example: sell 2% AAPL buy JNJ");
    return body;
  }

  async #ask() {
    this.#button.disabled = true;
    this.#said.textContent = "Computing.";
    try {
      await this.#onAsk(this.asked());
      this.#said.textContent = "";
    } catch (error) {
      this.#said.textContent = error.message;
    } finally {
      this.#button.disabled = false;
    }
  }
}
