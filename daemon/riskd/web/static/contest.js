// Champion, challengers and rivals side by side over the same sessions.

import { el } from "./dom.js";
import { NONE, grouped, known, level, probability } from "./format.js";
import { table } from "./table.js";

const STRONG = 20;
const CLEAR = 0.05;

const score = (value) => (known(value) ? value.toFixed(3).replace("-", "−") : NONE);

function evidence(value) {
  if (!known(value)) return NONE;
  const text = value >= 1e6 ? value.toExponential(1) : value < 10 ? value.toFixed(2) : grouped(Math.round(value));
  return value >= STRONG ? el("b", { class: "bad" }, text) : text;
}

function against(entrant) {
  if (!known(entrant.behind)) return NONE;
  const difference = score(entrant.behind);
  const word = entrant.p > CLEAR ? "level" : entrant.behind > 0 ? "worse" : "better";
  return `${entrant.behind > 0 ? "+" : ""}${difference}, ${word} (p ${probability(entrant.p)})`;
}

// The score, and for all but the champion how it stands to the champion's.
export function entrantScore(entrant) {
  const beside = against(entrant);
  return beside === NONE ? score(entrant.fz0) : `${score(entrant.fz0)}; ${beside}`;
}

function row(entrant, contest, place) {
  const count = `${entrant.exceedances} of ${entrant.sessions}`;
  const outside = entrant.sessions === contest.sessions && (entrant.exceedances < contest.least || entrant.exceedances > contest.most);
  return [
    place === 0 ? el("span", {}, el("b", {}, entrant.name), " champion") : entrant.name,
    outside ? el("b", { class: "bad" }, count) : count,
    score(entrant.fz0),
    place === 0 ? "" : against(entrant),
    known(entrant.pinball) ? `${(entrant.pinball * 10_000).toFixed(2)}` : NONE,
    evidence(entrant.evidence),
  ];
}

export function contestTable(contest) {
  const heads = ["model", "beyond VaR", "FZ0", "against the champion", "pinball, bp", "evidence"];
  const caption = `One session at ${level(contest.level)}: ${contest.expected.toFixed(1)} exceedances expected, ${contest.least} to ${contest.most} are usual`;
  return table("contest", caption, heads, contest.entrants.map((entrant, i) => row(entrant, contest, i)));
}
