// What may come: the losses of the scenario bank at one horizon, and how they spread with time.

import { el } from "./dom.js";
import { Drawing } from "./drawing.js";
import { drawFan, fanWords } from "./fan.js";
import { known, level, sessions } from "./format.js";
import { drawHistogram, histogramWords } from "./histogram.js";
import { binding } from "./limits.js";
import { choice, panel, quiet } from "./panel.js";

export class Ahead {
  #key = "";
  #report = null;
  #shape = null;
  #horizon = null;
  #histogram = new Drawing(230);
  #fan = new Drawing(230);
  #choice = el("div");
  #words = el("p", { class: "caption" });
  #fanWords = el("p", { class: "caption" });
  #drawn = [
    panel("Losses ahead", { class: "panel losses-ahead" }, this.#choice, this.#histogram.element, this.#words),
    panel("Scenario fan", { class: "panel scenario-fan" }, this.#fan.element, this.#fanWords),
  ];

  constructor() {
    this.element = el("div", { class: "pair", "data-ahead": "waiting" }, ...this.#drawn);
  }

  // shape: as api/v1/portfolios/{name}/scenarios answers, or null when there is none.
  show(report, shape) {
    const key = JSON.stringify([report, shape]);
    if (key === this.#key) return;
    this.#key = key;
    this.#report = report;
    this.#shape = shape;
    this.element.dataset.ahead = shape ? shape.session : "none";
    if (!shape) {
      this.element.replaceChildren(panel("Losses ahead", {}, quiet("Nothing is simulated yet: the picture comes with the next figures.")));
      return;
    }
    this.element.replaceChildren(...this.#drawn);
    const horizons = shape.horizons.map((h) => h.horizon);
    if (!horizons.includes(this.#horizon)) this.#horizon = binding(report)?.horizon ?? horizons[0];
    this.#choose(horizons);
    this.#draw();
    this.#fan.show(fanWords(shape), drawFan(shape, this.#figures()));
    this.#fanWords.textContent = `Dark: half of the scenarios, then 90 % and 98 %; dots: CVaR ${level(this.#level)}. Straight lines between the simulated horizons.`;
  }

  close() {
    this.#histogram.close();
    this.#fan.close();
  }

  get #level() {
    return binding(this.#report)?.level ?? this.#report.figures[0]?.level ?? 0.95;
  }

  #figures() {
    return this.#report.figures.filter((f) => f.level === this.#level && known(f.cvar));
  }

  #choose(horizons) {
    const key = horizons.join();
    if (this.#choice.dataset.key === key) return; // keeps the focus
    this.#choice.dataset.key = key;
    const options = horizons.map((h) => [h, sessions(h)]);
    this.#choice.replaceChildren(choice("Horizon", options, this.#horizon, (h) => this.#pick(h)));
  }

  #pick(horizon) {
    this.#horizon = horizon;
    this.#draw();
  }

  #draw() {
    const of = this.#shape.horizons.find((h) => h.horizon === this.#horizon);
    const limits = this.#report.limits.filter((l) => l.horizon === this.#horizon);
    const limit = limits.find((l) => l.level === this.#level) ?? limits[0] ?? null;
    const at = limit?.level ?? this.#level;
    const figure = this.#report.figures.find((f) => f.horizon === this.#horizon && f.level === at) ?? null;
    const words = histogramWords(of, figure);
    this.#histogram.show(words, drawHistogram(of, figure, limit));
    this.#words.textContent = words;
  }
}
