// The answer to a what-if question, before beside after.

import { el, placed } from "./dom.js";
import { NONE, grouped, known, level, percent, probability, sessions, signed } from "./format.js";
import { frontier } from "./frontier.js";
import { stateWord } from "./limits.js";
import { panel } from "./panel.js";
import { table } from "./table.js";

const interval = (risk, name) => {
  const [low, high] = [risk[`${name}_low`], risk[`${name}_high`]];
  return el("span", {}, percent(risk[name]), el("span", { class: "range" }, ` (${percent(low)} to ${percent(high)})`));
};
const money = (value, currency) => (known(value) ? `${grouped(Math.round(value)).replace("-", "−")} ${currency}` : NONE);

function verdict(answer) {
  const blocked = answer.feasibility && !answer.feasibility.feasible;
  if (blocked) return ["bad", `Cannot be done: the least CVaR that can be achieved is ${percent(answer.feasibility.least_cvar)}.`];
  const broken = answer.limits.filter((limit) => !limit.holds_after).map((limit) => limit.name);
  if (broken.length) return ["bad", `Above the limit: ${broken.join(", ")}.`];
  if (answer.broken.length) return ["bad", `Not within the bounds: ${answer.broken.join("; ")}.`];
  return ["good", answer.limits.length ? "Every limit holds with these weights." : "No limit was asked for."];
}

function figures(answer) {
  const { before, after, currency } = answer;
  const changes = known(answer.turnover) && answer.turnover > 0;
  const rows = [
    ["CVaR", interval(before.risk, "cvar"), interval(after.risk, "cvar"), signed(after.risk.cvar - before.risk.cvar, 2)],
    ["VaR", interval(before.risk, "var"), interval(after.risk, "var"), signed(after.risk.var - before.risk.var, 2)],
    ["expected profit", money(before.expected_profit, currency), money(after.expected_profit, currency), money(after.expected_profit - before.expected_profit, currency)],
    ["expected return", signed(before.expected_return, 3), signed(after.expected_return, 3), signed(after.expected_return - before.expected_return, 3)],
    ["cash", percent(before.cash, 1), percent(after.cash, 1), signed(after.cash - before.cash)],
  ];
  const cost = changes ? el("p", { class: "caption" }, `Turnover ${percent(answer.turnover, 1)}, costs ${percent(answer.cost, 3)} of value; profit and return are net of them.`) : null;
  return [table("sides", `Over ${sessions(answer.horizon)} at ${level(answer.level)}`, ["", "now", "then", "change"], rows), cost];
}

function limits(answer) {
  if (!answer.limits.length) return null;
  const cell = (risk, share, holds, chance) =>
    el("span", {}, percent(risk.cvar), el("span", { class: holds ? "used" : "used bad" }, ` ${percent(share, 0)} used, P(above) ${probability(chance)}`));
  const rows = answer.limits.map((l) => [
    `${l.name}${l.state ? ` (${stateWord(l.state)})` : ""}`,
    percent(l.max_cvar),
    cell(l.before, l.share_before, l.holds_before, l.probability_before),
    cell(l.after, l.share_after, l.holds_after, l.probability_after),
  ]);
  return table("limit-sides", "Limits", ["limit", "at", "CVaR now", "CVaR then"], rows);
}

function holdings(answer) {
  const held = answer.holdings.filter((h) => h.before || h.after);
  const most = Math.max(...held.map((h) => Math.max(h.before, h.after)), 0.01);
  const bars = (h) =>
    el("div", { class: "weight-bars", "aria-hidden": "true" }, ...[["weight-now", h.before], ["weight-then", h.after]].map(([name, w]) => placed(el("span", { class: name }), { to: Math.max(0, w) / most })));
  const rows = held.map((h) => [h.symbol, bars(h), percent(h.before, 1), percent(h.after, 1), signed(h.after - h.before), percent(h.component_before), percent(h.component_after)]);
  return table("weights", "Allocation", ["asset", "", "now", "then", "change", "adds now", "adds then"], rows);
}

function orders(answer) {
  if (!answer.orders.length) return null;
  const amount = (value) => (known(value) ? grouped(+Math.abs(value).toFixed(2)) : NONE);
  const rows = answer.orders.map((o) => [`${o.change > 0 ? "buy" : "sell"} ${o.symbol}`, signed(o.change, 2), amount(o.value), amount(o.shares)]);
  return table("orders", "Orders", ["order", "of value", answer.currency, "shares"], rows);
}

function feasibility(answer) {
  const found = answer.feasibility;
  if (!found) return null;
  const lines = [];
  if (known(found.least_cvar)) lines.push(`Least achievable CVaR ${percent(found.least_cvar)}; below ${percent(found.least_bound)} it is proved that nothing is.`);
  if (found.conflict.length) lines.push(`Cannot be kept together: ${found.conflict.join("; ")}.`);
  if (found.relaxation.length) lines.push(`The cheapest way to make room: ${found.relaxation.join("; ")}.`);
  for (const rung of found.ladder) lines.push(`Without ${rung.without}: ${percent(rung.least_cvar)}.`);
  return lines.length ? panel("Feasibility", {}, el("ul", { class: "plain" }, ...lines.map((line) => el("li", {}, line)))) : null;
}

function frontierPanel(answer) {
  const side = (of) => ({ cvar: of.risk.cvar, expected_return: of.expected_return });
  const caption = "Largest expected return for each CVaR; hollow: what is held, full: what was asked, line: limit.";
  const drawn = frontier({ points: answer.frontier, now: side(answer.before), then: side(answer.after), limit: answer.limit, horizon: answer.horizon, caption });
  return drawn && panel("Frontier", { class: "panel frontier-panel" }, drawn);
}

function size(answer) {
  if (!answer.size) return null;
  const { least, most } = answer.size;
  const words = least === null ? "No multiple of this change makes every limit hold." : `Every limit holds from ${least.toFixed(2)} to ${most.toFixed(2)} times this change.`;
  return el("p", { class: "caption" }, words);
}

export function answerPanels(answer) {
  const [mood, words] = verdict(answer);
  const warnings = answer.warnings.length ? el("ul", { class: "notes" }, ...answer.warnings.map((w) => el("li", {}, w))) : null;
  const { stamp } = answer;
  const rests = `Session ${stamp.session}, ${grouped(stamp.paths)} scenarios of ${stamp.model}, bank ${stamp.bank}, prices ${stamp.prices}.`;
  const result = panel("Answer", { class: "panel answer", "data-mood": mood }, el("div", { class: "stack" }, el("p", { class: `verdict ${mood}` }, words), ...figures(answer), size(answer), limits(answer), warnings, el("p", { class: "caption" }, rests)));
  const beside = [frontierPanel(answer), feasibility(answer)].filter(Boolean);
  const drawn = el("div", { class: beside.length > 1 ? "pair" : "stack" }, ...beside);
  return [result, drawn, panel("Weights and orders", {}, el("div", { class: "stack" }, holdings(answer), orders(answer)))];
}
