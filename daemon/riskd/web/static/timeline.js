// Alerts as a time line, newest first.

import { el } from "./dom.js";

const KIND_WORDS = {
  "breach.opened": "breach opened",
  "breach.escalated": "breach escalated",
  "breach.closed": "breach closed",
  "breach.withdrawn": "breach withdrawn",
  "breach.group": "several breaches",
  "breach.acknowledged": "breach acknowledged",
  "breach.silenced": "reminders silenced",
  "judgement.lost": "judgement lost",
  "judgement.restored": "judgement restored",
  "judgement.group": "judgement of several",
  "allocation.proposed": "allocation proposed",
  "allocation.infeasible": "allocation infeasible",
  "allocation.failed": "allocation failed",
  "allocation.frozen": "frozen, no allocation",
  "allocation.unfrozen": "unfrozen",
  "data.suspect": "price in quarantine",
  "data.cleared": "out of quarantine",
  "data.revised": "history restated",
  "session.void": "no session",
  "delivery.failing": "delivery fails",
  "delivery.working": "delivery works again",
  "delivery.parked": "messages given up",
  "delivery.gone": "a sink is gone",
  "feed.failing": "feed fails",
  "feed.working": "feed works again",
  "feed.failover": "feed stands in",
  "feed.failback": "feed no longer needed",
};

// "breach.silenced" -> "breach silenced": words for what this page does not know yet.
export const kindWords = (kind) => KIND_WORDS[kind] ?? kind.replaceAll(/[._]/g, " ");

export function subject(alert) {
  if (alert.limit) return `${alert.portfolio} / ${alert.limit}`;
  return alert.portfolio ?? (alert.kind.endsWith(".group") ? "portfolios" : "prices");
}

// A headline's reasons follow a semicolon; brief leaves them to the view of alerts.
function item(alert, brief) {
  return el(
    "li",
    { "data-kind": alert.kind },
    el("b", {}, kindWords(alert.kind)),
    el("div", { class: "alert-about" }, el("span", {}, subject(alert)), el("time", { datetime: alert.session }, alert.session)),
    el("p", {}, brief ? alert.headline.split("; ")[0] : alert.headline),
  );
}

export function timeline(alerts, brief = false) {
  return alerts.length ? alerts.map((alert) => item(alert, brief)) : [el("li", { class: "quiet" }, "None so far.")];
}
