// A proposal in full: its orders with their reasons, the other ways there are, and the frontier of return and CVaR.

import { el, shape } from "./dom.js";
import { grouped, known, percent, sessions, signed } from "./format.js";

const WIDTH = 320;
const HEIGHT = 150;
const EDGE = { left: 8, right: 8, top: 12, bottom: 24 };

function table(name, caption, heads, rows) {
  const cells = (row) => row.map((text, i) => (i ? el("td", {}, text) : el("th", { scope: "row" }, text)));
  return el(
    "div",
    { class: "wide" },
    el(
      "table",
      { class: `weights ${name}` },
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...cells(row)))),
    ),
  );
}

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

// CVaR to the right, expected return upwards; marks for today and for the proposal, the limit as a line.
export function frontierChart(proposal) {
  const points = (proposal.frontier ?? []).filter((p) => known(p.cvar) && known(p.expected_return));
  if (points.length < 2) return null;
  const now = { cvar: proposal.cvar_before, expected_return: proposal.expected_return_before };
  const then = { cvar: proposal.cvar_after, expected_return: proposal.expected_return_after - proposal.cost };
  const seen = [...points, now, ...(known(then.cvar) ? [then] : [])];
  const range = (values) => [Math.min(...values), Math.max(...values)];
  const [left, right] = range([...seen.map((p) => p.cvar), proposal.max_cvar]);
  const [low, high] = range(seen.map((p) => p.expected_return));
  const x = (cvar) => EDGE.left + ((cvar - left) / (right - left || 1)) * (WIDTH - EDGE.left - EDGE.right);
  const y = (earned) => HEIGHT - EDGE.bottom - ((earned - low) / (high - low || 1)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const line = points.map((p) => `${x(p.cvar).toFixed(1)},${y(p.expected_return).toFixed(1)}`).join(" ");
  const mark = (name, p) => shape("circle", { class: `mark-${name}`, cx: x(p.cvar), cy: y(p.expected_return), r: 4 });
  const limit = x(proposal.max_cvar).toFixed(1);
  const label = `Frontier: CVaR ${percent(points[0].cvar)} to ${percent(points.at(-1).cvar)}, expected return ${signed(points[0].expected_return, 2)} to ${signed(points.at(-1).expected_return, 2)} over ${sessions(proposal.horizon)}`;
  return el(
    "figure",
    { class: "frontier" },
    shape(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
      shape("line", { class: "frontier-limit", x1: limit, x2: limit, y1: EDGE.top, y2: HEIGHT - EDGE.bottom }),
      shape("polyline", { class: "frontier-line", points: line }),
      mark("now", now),
      known(then.cvar) ? mark("then", then) : null,
      shape("text", { x: EDGE.left, y: HEIGHT - 6 }, percent(left, 1)),
      shape("text", { x: WIDTH - EDGE.right, y: HEIGHT - 6, "text-anchor": "end" }, `CVaR ${percent(right, 1)}`),
    ),
    el("figcaption", {}, "Largest expected return for each CVaR where the weights were chosen; hollow: held, full: proposed, line: limit."),
  );
}

export function reasons(proposal) {
  const notes = proposal.notes.map((note) => el("li", {}, note));
  return notes.length ? el("details", { class: "reasons" }, el("summary", {}, "How sure, what binds, what more would earn"), el("ul", {}, ...notes)) : null;
}
