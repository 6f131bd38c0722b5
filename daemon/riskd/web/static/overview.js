// Every portfolio with its limits, the worst first; beside them what was told last and how it got out.

import { el } from "./dom.js";
import { grouped, span } from "./format.js";
import { bySeverity } from "./header.js";
import { paced } from "./link.js";
import { Row } from "./row.js";
import { address } from "./route.js";
import { timeline } from "./timeline.js";

const LAST_ALERTS = 8;
const MANY = 12; // from this many on one may look for a name
const READ_MS = 1000;

function sink(delivery) {
  const parked = delivery.parked ? `, ${grouped(delivery.parked)} given up` : "";
  const waiting = delivery.pending ? `${grouped(delivery.pending)} waiting for ${span(delivery.oldest_age_seconds * 1000)}` : "nothing waiting";
  const word = delivery.connected ? "connected" : "not connected";
  return el("li", { "data-connected": delivery.connected ? "yes" : "no" }, el("b", {}, delivery.sink), ` ${word}, ${waiting}${parked}`);
}

export class View {
  title = null;
  #link;
  #rows = new Map();
  #fresh = true;
  #board = el("ul", { id: "portfolios", "aria-label": "Portfolios, worst first" });
  #empty = el("p", { id: "empty", class: "empty", hidden: true });
  #find = el("input", { type: "search", placeholder: "Find a portfolio", "aria-label": "Find a portfolio" });
  #alerts = el("ol", { id: "alerts", class: "timeline" });
  #sinks = el("ul", { id: "sinks", "aria-labelledby": "sinks-title" });
  #load = paced(() => this.#read(), READ_MS);

  constructor(link) {
    this.#link = link;
    this.#find.addEventListener("input", () => this.#filter());
    const side = [
      el("h2", { id: "alerts-title" }, "Last alerts"),
      this.#alerts,
      el("p", {}, el("a", { href: address("alerts") }, "All alerts, acknowledge, silence")),
      el("h2", { id: "sinks-title" }, "Delivery"),
      this.#sinks,
    ];
    this.element = el(
      "div",
      { class: "with-side" },
      el("section", { "aria-label": "Portfolios" }, this.#find, this.#empty, this.#board),
      el("aside", { "aria-labelledby": "alerts-title" }, ...side),
    );
  }

  update(snapshot) {
    const reports = [...snapshot.reports].sort(bySeverity);
    for (const report of reports) this.#rowOf(report.portfolio).update(report);
    this.#arrange(reports.map((report) => report.portfolio));
    this.#empty.hidden = reports.length > 0;
    this.#empty.textContent = `No figures yet: riskd is ${snapshot.phase}. They appear here when the first session has been computed.`;
    this.#find.hidden = reports.length < MANY;
    this.#filter();
    const sinks = snapshot.deliveries.map(sink);
    this.#sinks.replaceChildren(...(sinks.length ? sinks : [el("li", { class: "quiet" }, "No sinks.")]));
    this.#load();
  }

  setFresh(fresh) {
    this.#fresh = fresh;
    for (const row of this.#rows.values()) row.setFresh(fresh);
  }

  close() {}

  #rowOf(name) {
    if (!this.#rows.has(name)) this.#rows.set(name, new Row(name));
    this.#rows.get(name).setFresh(this.#fresh);
    return this.#rows.get(name);
  }

  // Elements are moved only when the order changed: a move takes the keyboard focus away.
  #arrange(names) {
    for (const name of this.#rows.keys()) if (!names.includes(name)) this.#rows.delete(name);
    const elements = names.map((name) => this.#rows.get(name).element);
    const present = [...this.#board.children];
    const same = elements.length === present.length && elements.every((element, i) => element === present[i]);
    if (!same) this.#board.replaceChildren(...elements);
  }

  #filter() {
    const wanted = this.#find.hidden ? "" : this.#find.value.trim().toLowerCase();
    for (const row of this.#rows.values()) row.element.hidden = !row.name.includes(wanted);
  }

  async #read() {
    try {
      this.#alerts.replaceChildren(...timeline(await this.#link.json(`api/v1/alerts?last=${LAST_ALERTS}`), true));
    } catch (error) {
      console.warn(`alerts: ${error.message}`); // the next change asks again
    }
  }
}
