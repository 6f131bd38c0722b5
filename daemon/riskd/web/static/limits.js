// One limit as a bar: CVaR with its interval, the challengers, and the line it must stay below.

import { el, placed } from "./dom.js";
import { NONE, known, level, moment, percent, probability, sessions, since } from "./format.js";

const STATE_WORDS = {
  clear: "clear",
  possible: "possible breach",
  firing: "firing",
  clearing: "clearing",
  "cannot-judge": "cannot judge",
};

export const stateWord = (state) => STATE_WORDS[state] ?? state;

export function figureFor(report, limit) {
  return report.figures.find((f) => f.level === limit.level && f.horizon === limit.horizon) ?? null;
}

// The limit nearest to its line; one that cannot be judged counts as nearest of all.
export function binding(report) {
  const nearness = (l) => (known(l.cvar) ? l.cvar / l.max_cvar : Infinity);
  return [...report.limits].sort((a, b) => nearness(b) - nearness(a))[0] ?? null;
}

export function limitBar(limit, figure) {
  const bar = el("div", { class: "bar", "data-state": limit.state, "aria-hidden": "true" });
  if (!known(limit.cvar)) {
    bar.classList.add("bar-none");
    return bar;
  }
  const rivals = (figure?.challengers ?? []).filter((rival) => known(rival.cvar));
  const seen = [limit.max_cvar * 1.2, limit.cvar, figure?.cvar_high, ...rivals.map((rival) => rival.cvar)].filter(known);
  const most = Math.max(...seen) * 1.05;
  const at = (value) => Math.max(0, value) / most;
  bar.append(placed(el("span", { class: "bar-fill" }), { to: at(limit.cvar) }));
  if (known(figure?.cvar_low) && known(figure?.cvar_high)) {
    bar.append(placed(el("span", { class: "bar-whisker" }), { from: at(figure.cvar_low), to: at(figure.cvar_high) }));
  }
  for (const rival of rivals) bar.append(placed(el("span", { class: "bar-challenger" }), { at: at(rival.cvar) }));
  bar.append(placed(el("span", { class: "bar-limit" }), { at: at(limit.max_cvar) }));
  return bar;
}

function fact(term, value, { extra = null, key = null } = {}) {
  return el("div", {}, el("dt", { class: key }, term), el("dd", {}, value, extra));
}

function interval(figure) {
  if (!known(figure?.cvar_low) || !known(figure?.cvar_high)) return null;
  const [low, high] = [figure.cvar_low, figure.cvar_high].map((bound) => percent(bound).replace(/\s*%$/, ""));
  return el("span", { class: "quiet", title: "95 % interval: Monte-Carlo and parameter error" }, ` (${low} to ${high})`);
}

// From the lowest to the highest; which one said what is in the title.
function challengers(figure) {
  const rivals = (figure?.challengers ?? []).filter((rival) => known(rival.cvar)).sort((a, b) => a.cvar - b.cvar);
  if (!rivals.length) return NONE;
  const title = rivals.map((rival) => `${rival.name} ${percent(rival.cvar)}`).join(", ");
  const ends = [rivals[0], rivals[rivals.length - 1]].map((rival) => percent(rival.cvar));
  return el("span", { title }, rivals.length > 1 ? ends.join(" to ") : ends[0]);
}

// What a limit is in, since when, and what people said of it.
export function stateText(report, limit) {
  const age = limit.since ? since(limit.since, report.session) : null;
  return limit.since ? `${stateWord(limit.state)} since ${limit.since} (${age ?? "age unknown"})` : stateWord(limit.state);
}

export function saidOf(limit) {
  const words = [];
  if (limit.acknowledged) words.push(`acknowledged by ${limit.acknowledged.author}`);
  if (limit.silence) words.push(`silent until ${moment(Date.parse(limit.silence.until))}`);
  if (limit.changed?.length) words.push(`judged by other ${limit.changed.join(", ")} than it fired under`);
  return words.join(", ");
}

export function limitRow(report, limit) {
  const figure = figureFor(report, limit);
  const said = saidOf(limit);
  return el(
    "li",
    { class: "limit", "data-state": limit.state },
    el(
      "div",
      { class: "limit-head" },
      el("span", { class: "limit-name" }, limit.name),
      el("span", { class: "quiet" }, `CVaR ${level(limit.level)}, ${sessions(limit.horizon)}`),
      el("span", { class: "state" }, stateText(report, limit)),
    ),
    said ? el("p", { class: "said quiet" }, said) : null,
    limitBar(limit, figure),
    el(
      "dl",
      { class: "limit-facts" },
      fact("CVaR", el("b", { class: "figure" }, percent(limit.cvar)), { extra: interval(figure) }),
      fact("limit", percent(limit.max_cvar), { key: "key-limit" }),
      fact("P(CVaR ≥ limit)", probability(limit.probability)),
      fact("VaR", figure ? el("span", { class: "figure" }, percent(figure.var)) : NONE),
      fact("challengers", challengers(figure), { key: "key-challenger" }),
      known(limit.cvar_if_accepted) ? fact("if the doubtful prices are true", percent(limit.cvar_if_accepted)) : null,
    ),
  );
}
