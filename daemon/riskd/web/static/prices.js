// How far prices can be trusted: what sources do, what is in quarantine, what was restated.

import { el } from "./dom.js";

const FEED_WORDS = { failing: "does not answer", working: "answers", failover: "stands in", failback: "no longer needed" };

function doubt(held) {
  const command = `riskd data approve ${held.symbol} ${held.session} --reason "..."`;
  return el(
    "li",
    { class: "doubt" },
    el("div", { class: "alert-about" }, el("b", {}, `${held.symbol} ${held.rule}`), el("time", { datetime: held.session }, held.session)),
    el("p", {}, held.detail),
    held.decision ? el("p", {}, `${held.decision.verdict} by ${held.decision.author}`) : el("code", {}, command),
  );
}

function revision(told) {
  const when = told.first === told.last ? told.first : `${told.first} to ${told.last}`;
  return el("li", {}, el("b", {}, `${told.symbol} ${told.kind}`), el("p", {}, `x${Number(told.ratio).toPrecision(5)} on ${when}`));
}

export function showPrices(feeds, held, revisions) {
  const turns = Object.entries(feeds).map(([feed, status]) =>
    el("li", { "data-feed": status }, el("span", {}, feed), el("b", {}, FEED_WORDS[status] ?? status)),
  );
  document.getElementById("feeds").replaceChildren(...turns);
  const quiet = el("li", { class: "quiet" }, "Nothing is in quarantine.");
  document.getElementById("doubts").replaceChildren(...(held.length ? held.map(doubt) : [quiet]));
  document.getElementById("revisions").replaceChildren(...revisions.map(revision));
}
