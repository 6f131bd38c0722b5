// Weights now, the weights riskd proposes, and what the proposal does to CVaR.

import { el, placed } from "./dom.js";
import { known, percent, signed } from "./format.js";
import { orders, reasons, ways } from "./proposal.js";
import { head } from "./table.js";

const MOST_ROWS = 16;
const CASH = "cash";

function atMost(proposal) {
  const told = proposal.limits?.find((limit) => limit.name === proposal.limit)?.after_verified;
  return told ? ` (at most ${percent(told.high)})` : "";
}

function verdict(proposal) {
  if (proposal.status === "proposed") {
    return [
      `Proposal of ${proposal.session}: CVaR ${percent(proposal.cvar_before)} → `,
      el("b", {}, percent(proposal.cvar_after)),
      `, ${percent(proposal.cvar_verified)} where it was verified${atMost(proposal)}; limit ${proposal.limit} at `,
      `${percent(proposal.max_cvar)}, turnover ${percent(proposal.turnover, 1)}, ${proposal.solver}.`,
    ];
  }
  if (proposal.status === "infeasible") {
    const least = `infeasible: least achievable CVaR ${percent(proposal.least_cvar)}`;
    return [`Proposal of ${proposal.session}: `, el("b", {}, least), ` against limit ${proposal.limit} at ${percent(proposal.max_cvar)}.`];
  }
  return [`Proposal of ${proposal.session}: `, el("b", {}, "no proposal"), ` for limit ${proposal.limit}, the solution did not verify.`];
}

export function proposalNote(proposal) {
  const sure = proposal.status === "proposed";
  const notes = sure ? [] : proposal.notes.map((note) => el("span", { class: "note" }, note));
  const words = el("p", {}, ...verdict(proposal), ...notes);
  const parts = [sure ? orders(proposal) : null, ways(proposal), sure ? reasons(proposal) : null];
  return el("div", { class: "proposal", "data-proposal": proposal.status }, words, ...parts);
}

// Rows of {name, before, after, share}: weights, and the share of the first limit's CVaR that comes from the asset.
export function weightRows(report, proposal) {
  const after = proposal?.status === "proposed" ? { ...proposal.weights, [CASH]: proposal.cash } : null;
  const before = { ...report.weights, [CASH]: report.cash };
  const limit = report.limits.find((l) => l.contributions.length > 0);
  const shares = new Map((limit?.contributions ?? []).map((c) => [c.symbol, c.component_cvar / limit.cvar]));
  return [...new Set([...Object.keys(before), ...Object.keys(after ?? {})])]
    .map((name) => ({
      name,
      before: before[name] ?? 0,
      after: after ? (after[name] ?? 0) : null,
      share: shares.get(name) ?? null,
    }))
    .filter((row) => row.before !== 0 || row.after)
    .sort((a, b) => (a.name === CASH) - (b.name === CASH) || Math.max(b.before, b.after) - Math.max(a.before, a.after));
}

// More rows than fit become one row of their sum, so that nothing is left out unsaid.
export function shortened(rows) {
  if (rows.length <= MOST_ROWS) return rows;
  const rest = rows.slice(MOST_ROWS - 1);
  const sum = (key) => (rest.some((row) => known(row[key])) ? rest.reduce((total, row) => total + (row[key] ?? 0), 0) : null);
  return [...rows.slice(0, MOST_ROWS - 1), { name: `${rest.length} others`, before: sum("before"), after: sum("after"), share: sum("share") }];
}

function bars(row, most) {
  const at = (value) => Math.max(0, value) / most;
  return el(
    "div",
    { class: "weight-bars", "aria-hidden": "true" },
    placed(el("span", { class: "weight-now" }), { to: at(row.before) }),
    row.after === null ? null : placed(el("span", { class: "weight-then" }), { to: at(row.after) }),
  );
}

function tableRow(row, most, proposed) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, row.name),
    el("td", { class: "weight-cell" }, bars(row, most)),
    el("td", {}, percent(row.before, 1)),
    proposed ? el("td", {}, percent(row.after, 1)) : null,
    proposed ? el("td", { class: "quiet" }, signed(row.after - row.before)) : null,
    el("td", { class: "quiet" }, percent(row.share, 0)),
  );
}

export function allocation(report, proposal) {
  const rows = shortened(weightRows(report, proposal));
  const proposed = proposal?.status === "proposed";
  const most = Math.max(...rows.map((row) => Math.max(row.before, row.after ?? 0)), 0.01);
  const heads = ["", "now", ...(proposed ? ["proposed", "change"] : []), "of CVaR"];
  return el(
    "table",
    { class: "table weights" },
    el("caption", {}, proposed ? "Weights now and proposed" : "Weights"),
    el("thead", {}, el("tr", {}, ...["asset", ...heads].map(head))),
    el("tbody", {}, ...rows.map((row) => tableRow(row, most, proposed))),
  );
}
