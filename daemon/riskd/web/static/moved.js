// Why a CVaR moved: from the figure of the session before to today's, step by step.

import { el, placed } from "./dom.js";
import { level, percent, sessions, signed } from "./format.js";
import { panel, quiet } from "./panel.js";
import { head } from "./table.js";

const WORDS = {
  volatility: "volatility of the assets",
  dependence: "how they move together",
  own_history: "the portfolio's own history",
  tail: "heaviness of the tail",
  model: "model, settings, refits",
  positions: "positions",
  data: "corrected prices",
  remainder: "not taken apart",
};

// [{name, from, to, whole}], the largest part first; whole bars stand on the left edge.
export function steps(explanation) {
  const parts = Object.entries(explanation.parts).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  let at = explanation.before;
  const moves = parts.map(([name, change]) => {
    const from = at;
    at += change;
    return { name, from, to: at, change };
  });
  return [
    { name: "before", from: 0, to: explanation.before, whole: true },
    ...moves,
    { name: "after", from: 0, to: explanation.after, whole: true },
  ];
}

function range(found) {
  const seen = found.flatMap((s) => (s.whole ? [s.to] : [s.from, s.to]));
  const [low, high] = [Math.min(...seen), Math.max(...seen)];
  const room = Math.max(high - low, high * 0.02) * 0.25;
  return [Math.max(0, low - room), high + room * 0.3];
}

function row(step, [low, high], name) {
  const at = (value) => Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  const [from, to] = step.whole ? [low, step.to] : [Math.min(step.from, step.to), Math.max(step.from, step.to)];
  const kind = step.whole ? "span-whole" : step.change > 0 ? "span-bad" : "span-good";
  const fill = placed(el("span", { class: `span-fill ${kind}` }), { from: at(from), to: at(to) });
  const value = step.whole ? el("b", { class: "figure" }, percent(step.to)) : signed(step.change, 2);
  return el(
    "tr",
    { class: step.whole ? "whole" : null },
    el("th", { scope: "row" }, name),
    el("td", { class: "bar-cell" }, el("div", { class: "span-bar", "aria-hidden": "true" }, fill)),
    el("td", {}, value),
  );
}

function waterfall(limit, session) {
  const told = limit.explanation;
  const found = steps(told);
  const span = range(found);
  const name = (step) => (step.name === "before" ? told.since : step.name === "after" ? session : (WORDS[step.name] ?? step.name));
  const like = told.like ? ` A loss of that size today would look like ${told.like}: ${percent(told.like_loss)}.` : "";
  const axis = span[0] > 0 ? ` The bars begin at ${percent(span[0], 1)}.` : "";
  const heads = ["what", "", "CVaR"].map(head);
  return [
    el(
      "table",
      { class: "table bars" },
      el("caption", {}, `${limit.name}: CVaR ${level(limit.level)} over ${sessions(limit.horizon)}`),
      el("thead", {}, el("tr", {}, ...heads)),
      el("tbody", {}, ...found.map((step) => row(step, span, name(step)))),
    ),
    el("p", { class: "caption" }, `Each part is the mean over all orders in which they could have changed; they add up exactly.${axis}${like}`),
  ];
}

export class Moved {
  #box = el("div", { class: "stack" });

  constructor() {
    this.element = panel("Why it moved", { class: "panel moved" }, this.#box);
  }

  show(report) {
    const told = report.limits.filter((l) => l.explanation);
    const none = quiet("There is no figure of the session before under the same rules to compare with.");
    this.#box.replaceChildren(...(told.length ? told.flatMap((l) => waterfall(l, report.session)) : [none]));
  }
}
