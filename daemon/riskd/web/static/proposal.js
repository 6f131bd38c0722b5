// A proposal in full: its orders with their reasons, the other ways there are, and the frontier of return and CVaR.

import { el } from "./dom.js";
import { grouped, known, percent, sessions, signed } from "./format.js";
import { frontier } from "./frontier.js";
import { table } from "./table.js";

const amount = (value) => (known(value) ? grouped(+Math.abs(value).toFixed(2)) : "–");

function orderRow(trade) {
  const side = trade.change > 0 ? "buy" : "sell";
  const per = known(trade.saved_per_cost) ? `${grouped(Math.round(trade.saved_per_cost)).replace("-", "−")} × its cost` : "";
  const gained = signed(trade.return_gained, 3);
  return [`${side} ${trade.symbol}`, signed(trade.change), amount(trade.value), amount(trade.shares), signed(-trade.cvar_saved, 2), per, gained];
}

export function orders(proposal) {
  if (!proposal.trades.length || !known(proposal.trades[0].value)) return null;
  const heads = ["order", "of value", proposal.currency, "shares", "CVaR", "CVaR saved", "return"];
  const caption = `Orders: ${percent(proposal.cost, 3)} of value in costs, returns over ${sessions(proposal.horizon)}`;
  return table("orders", caption, heads, proposal.trades.map(orderRow));
}

function wayRow(name, cvar, upper, earned, turnover, holds) {
  return [name, percent(cvar), percent(upper), signed(earned, 2), percent(turnover, 1), holds ? "holds" : "does not hold"];
}

export function ways(proposal) {
  if (!proposal.alternatives?.length) return null;
  const name = proposal.limit;
  const rows = proposal.alternatives.map((a) =>
    wayRow(a.name, a.cvars[name], a.upper[name], a.expected_return, a.turnover, a.holds),
  );
  const told = proposal.limits.find((limit) => limit.name === name);
  if (proposal.status === "proposed" && told?.after_verified) {
    const { value, high } = told.after_verified;
    rows.unshift(wayRow("proposal", value, high, proposal.expected_return_after - proposal.cost, proposal.turnover, true));
  }
  return table("ways", `What else there is, by ${name}`, ["", "CVaR", "at most", "return", "turnover", "limits"], rows);
}

export function frontierChart(proposal) {
  const now = { cvar: proposal.cvar_before, expected_return: proposal.expected_return_before };
  const then = { cvar: proposal.cvar_after, expected_return: proposal.expected_return_after - proposal.cost };
  const caption = "Largest expected return for each CVaR where the weights were chosen; hollow: held, full: proposed, line: limit.";
  return frontier({ points: proposal.frontier ?? [], now, then, limit: proposal.max_cvar, horizon: proposal.horizon, caption });
}

export function reasons(proposal) {
  const said = (proposal.alternatives ?? []).filter((a) => a.words).map((a) => `${a.name}: ${a.words}`);
  const notes = [...proposal.notes, ...said].map((note) => el("li", {}, note));
  return notes.length ? el("details", { class: "reasons" }, el("summary", {}, "How sure, what binds, what more would earn"), el("ul", {}, ...notes)) : null;
}
