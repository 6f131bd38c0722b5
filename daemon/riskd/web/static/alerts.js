// What was told, newest first, and what can be said to open breaches.

import { Breaches } from "./breaches.js";
import { el } from "./dom.js";
import { bySeverity } from "./header.js";
import { paced } from "./link.js";
import { panel } from "./panel.js";
import { kindWords, timeline } from "./timeline.js";

const READ_MS = 1000;
const LAST = 200;
const ALL = "";
const AT_FIRST = 20;

export class View {
  title = "alerts";
  #link;
  #closed = false;
  #alerts = [];
  #key = null;
  #breaches;
  #portfolio = el("select", { "aria-label": "Alerts of which portfolio" });
  #kind = el("select", { "aria-label": "Alerts of which kind" });
  #count = el("p", { class: "caption", role: "status" });
  #all = false;
  #more = el("button", { type: "button", hidden: true });
  #list = el("ol", { id: "alerts", class: "timeline" });
  #load = paced(() => this.#read(), READ_MS);

  constructor(link) {
    this.#link = link;
    this.#breaches = new Breaches(link);
    for (const select of [this.#portfolio, this.#kind]) select.addEventListener("change", () => this.#draw());
    this.#more.addEventListener("click", () => {
      this.#all = true;
      this.#draw();
    });
    const filter = el("div", { class: "buttons" }, this.#portfolio, this.#kind);
    this.element = el(
      "div",
      { class: "one" },
      el("div", { class: "title" }, el("h2", {}, "Alerts")),
      el("div", { class: "pair" }, panel("Open breaches", { class: "panel open-breaches" }, this.#breaches.element), panel("Timeline", { class: "panel told" }, filter, this.#count, this.#list, this.#more)),
    );
  }

  update(snapshot) {
    this.#breaches.show([...snapshot.reports].sort(bySeverity));
    this.#load();
  }

  close() {
    this.#closed = true;
  }

  async #read() {
    try {
      const alerts = await this.#link.json(`api/v1/alerts?last=${LAST}`);
      const key = JSON.stringify(alerts.map((a) => a.id));
      if (this.#closed || key === this.#key) return;
      this.#key = key;
      this.#alerts = alerts;
      this.#offer(this.#portfolio, "all portfolios", [...new Set(alerts.map((a) => a.portfolio).filter(Boolean))].sort(), (name) => name);
      this.#offer(this.#kind, "all kinds", [...new Set(alerts.map((a) => a.kind))].sort(), kindWords);
      this.#draw();
    } catch (error) {
      console.warn(`alerts: ${error.message}`); // the next change asks again
    }
  }

  #offer(select, all, values, words) {
    const chosen = select.value;
    select.replaceChildren(el("option", { value: ALL }, all), ...values.map((value) => el("option", { value }, words(value))));
    select.value = values.includes(chosen) ? chosen : ALL;
  }

  #draw() {
    const fits = (select, value) => select.value === ALL || select.value === value;
    const shown = this.#alerts.filter((a) => fits(this.#portfolio, a.portfolio) && fits(this.#kind, a.kind));
    this.#count.textContent = shown.length < this.#alerts.length ? `${shown.length} of the newest ${this.#alerts.length}` : `the newest ${shown.length}`;
    const left = this.#all ? 0 : Math.max(0, shown.length - AT_FIRST);
    this.#more.hidden = left === 0;
    this.#more.textContent = `Show ${left} older`;
    this.#list.replaceChildren(...timeline(left ? shown.slice(0, AT_FIRST) : shown));
  }
}
