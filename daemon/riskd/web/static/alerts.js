// The last alerts as a time line, newest first.

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
  "feed.failing": "feed fails",
  "feed.working": "feed works again",
  "feed.failover": "feed stands in",
  "feed.failback": "feed no longer needed",
};

function item(alert) {
  const subject = alert.limit ? `${alert.portfolio} / ${alert.limit}` : alert.portfolio ?? (alert.kind.endsWith(".group") ? "portfolios" : "prices");
  return el(
    "li",
    { "data-kind": alert.kind },
    el("b", {}, KIND_WORDS[alert.kind] ?? alert.kind),
    el("div", { class: "alert-about" }, el("span", {}, subject), el("time", { datetime: alert.session }, alert.session)),
    el("p", {}, alert.headline),
  );
}

export function showAlerts(list, alerts) {
  list.replaceChildren(...(alerts.length ? alerts.map(item) : [el("li", { class: "quiet" }, "None so far.")]));
}
