// Every registered system: what it does here with its live score, what the laboratory found, and how it is run.

import { entrantScore } from "./contest.js";
import { el } from "./dom.js";
import { NONE, known } from "./format.js";
import { quiet } from "./panel.js";
import { table } from "./table.js";

const HEADS = ["system", "here", "FZ0 here", "in the laboratory", "how to run it here"];
const DIGITS = 4;

// To the digits of the laboratory's tables.
const figure = (value) => (known(value) ? String(Number(value.toPrecision(DIGITS))).replace("-", "−") : NONE);
const signed = (value) => (value > 0 ? `+${figure(value)}` : figure(value));

function test(score) {
  if (known(score.t)) return `t ${score.t > 0 ? "+" : ""}${score.t.toFixed(2).replace("-", "−")}`;
  return known(score.low) ? `difference ${signed(score.difference)} (${signed(score.low)} to ${signed(score.high)})` : null;
}

function words(score) {
  if (score.verdict === "the baseline") return `${figure(score.value)}, the baseline`;
  const value = known(score.value) ? `${figure(score.value)}, ${score.baseline} ${figure(score.baseline_value)}` : `against ${score.baseline}`;
  return `${[value, test(score)].filter(Boolean).join("; ")}: ${score.verdict}`;
}

function found(score) {
  const bad = score.verdict === "behind";
  return el(
    "div",
    { class: "found" },
    el("span", {}, `${score.name}${score.better === "higher" ? ", higher is better" : ""}: `, bad ? el("b", {}, words(score)) : words(score)),
    el("span", { class: "what quiet" }, `${score.on} · ${score.source}`),
  );
}

// Several places of one system are told below each other.
const lines = (texts) => (texts.length > 1 ? el("div", {}, ...texts.map((text) => el("div", {}, text))) : (texts[0] ?? NONE));

function row(system, entrants) {
  const told = (place) => (place.name === system.name ? place.role : `${place.role}: ${place.name}`);
  return [
    el("span", {}, el("b", {}, system.name), el("span", { class: "what quiet" }, system.what)),
    lines(system.here.map(told)),
    lines(system.here.filter((place) => entrants.has(place.name)).map((place) => entrantScore(entrants.get(place.name)))),
    system.scores.length ? el("div", {}, ...system.scores.map(found)) : quiet(system.kind === "scenario model" ? "judged with the network that it draws for" : "no score of its own"),
    system.how,
  ];
}

// Where the table is too narrow for its columns every cell stands by itself, under the name of its column.
function named(part) {
  for (const line of part.querySelectorAll("tbody tr")) [...line.cells].forEach((cell, i) => (cell.dataset.head = HEADS[i]));
  return part;
}

// A part for each group, open; ``contest`` has the live scores of one portfolio, null where nothing was held yet.
export function systemParts(systems, contest) {
  const entrants = new Map((contest?.entrants ?? []).map((entrant) => [entrant.name, entrant]));
  return [...new Set(systems.map((system) => system.group))].map((title) => {
    const members = systems.filter((system) => system.group === title);
    const running = members.filter((system) => system.here.length).length;
    const caption = `${title.split(" (")[0]}: ${members.length} systems, ${running} in use here`;
    const rows = members.map((system) => row(system, entrants));
    const summary = el("summary", {}, el("b", {}, title));
    return named(el("details", { class: "group", open: true }, summary, table("systems", caption, HEADS, rows)));
  });
}
