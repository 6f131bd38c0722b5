// The head of the page: who computed what, how far a replay is, and how old the figures are.

import { el } from "./dom.js";
import { grouped, moment, span } from "./format.js";

// Worst first; the order in which a whole takes the state of its worst part.
export const SEVERITY = ["BREACH", "UNKNOWN", "STALE", "DEGRADED", "FROZEN", "WARN", "OK"];

export function bySeverity(a, b) {
  return SEVERITY.indexOf(a.status) - SEVERITY.indexOf(b.status) || a.portfolio.localeCompare(b.portfolio);
}

const byId = (id) => document.getElementById(id);

function facts(snapshot) {
  const session = snapshot.reports.map((r) => r.session).sort().at(-1);
  return [
    ["phase", snapshot.phase],
    ["session", session ?? "none yet"],
    ["model", snapshot.model],
    ["provider", snapshot.provider],
    ["next run", snapshot.next_run_at ? moment(Date.parse(snapshot.next_run_at)) : null],
    ["version", snapshot.version],
  ].filter(([, value]) => value);
}

function showReplay(snapshot) {
  const { replay_done: done, replay_total: total } = snapshot;
  byId("replay").hidden = !(total > 0);
  byId("replay-bar").max = Math.max(1, total);
  byId("replay-bar").value = done;
  byId("replay-text").textContent = `replay: ${grouped(done)} of ${grouped(total)} sessions`;
}

// How many portfolios are in which state; figures that are not current leave only one state.
function tally(snapshot, stale) {
  if (stale) return snapshot?.reports.length ? [["STALE", snapshot.reports.length]] : [];
  return SEVERITY.map((status) => [status, snapshot.reports.filter((r) => r.status === status).length]).filter(([, count]) => count);
}

function showSummary(counts) {
  const text = counts.map(([status, count]) => `${count} ${status}`).join(", ");
  const summary = byId("summary");
  if (summary.dataset.text === text) return; // a live region speaks only when something changed
  summary.dataset.text = text;
  summary.replaceChildren(...counts.map(([status, count]) => el("span", { class: "count", "data-status": status }, `${count} ${status}`)));
}

function showProblems(problems) {
  const box = byId("problems");
  box.hidden = problems.length === 0;
  box.replaceChildren(el("b", {}, "Needs attention"), el("ul", {}, ...problems.map((text) => el("li", {}, text))));
}

export function showHeader(snapshot) {
  byId("facts").replaceChildren(...facts(snapshot).map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))));
  showReplay(snapshot);
  showProblems([...snapshot.problems, ...(snapshot.unwell ?? []), ...(snapshot.refused ? [snapshot.refused] : [])]);
}

// Why the figures must not be read as current, or null.
export function staleness(snapshot, link) {
  if (link.fault) return link.lostAt ? `${link.fault} (since ${moment(link.lostAt)})` : link.fault;
  if (!snapshot) return "Waiting for the daemon";
  const until = Date.parse(snapshot.valid_until);
  return link.now() > until ? `The figures were good until ${moment(until)}` : null;
}

export function showAge(snapshot, stale, now, title = null) {
  const computed = Date.parse(snapshot?.last_success_at);
  byId("age").textContent = Number.isFinite(computed) ? `computed ${span(now - computed)} ago` : "nothing computed yet";
  document.body.dataset.fresh = stale ? "no" : "yes";
  const banner = byId("staleness");
  banner.hidden = !stale;
  const text = stale ? `${stale}. What is shown below may be old.` : "";
  if (banner.textContent !== text) banner.textContent = text;
  const counts = tally(snapshot, stale);
  showSummary(counts);
  document.title = [stale ? "STALE" : (counts[0]?.[0] ?? snapshot.phase), title, "riskd"].filter(Boolean).join(" · ");
}
