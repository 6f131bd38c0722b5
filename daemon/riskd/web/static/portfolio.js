// One portfolio: limits, history against what was forecast, losses ahead, what adds to them, why they moved, allocation.

import { Ahead } from "./ahead.js";
import { allocation, proposalNote } from "./allocation.js";
import { Badge } from "./badge.js";
import { Chart, sessionsFor } from "./chart.js";
import { Components } from "./components.js";
import { el } from "./dom.js";
import { grouped, percent } from "./format.js";
import { History } from "./history.js";
import { Hold } from "./hold.js";
import { limitRow } from "./limits.js";
import { paced } from "./link.js";
import { Moved } from "./moved.js";
import { panel, quiet } from "./panel.js";
import { frontierChart } from "./proposal.js";
import { Weights } from "./weights.js";

const READ_MS = 1500;

function factsOf(report) {
  const value = report.value === 1 ? "" : `, ${grouped(report.value)} ${report.currency}`;
  const priced = report.coverage < 1 ? ` (${percent(report.coverage, 1)} of holdings priced)` : "";
  const lost = typeof report.realised_loss === "number" ? `, lost ${percent(report.realised_loss)} that day` : "";
  return `data grade ${report.grade}${priced}, session ${report.session}${lost}${value}`;
}

export class View {
  #link;
  #name;
  #report = null;
  #seen = ""; // of what was read last
  #closed = false;
  #badge = new Badge();
  #facts = el("span", { class: "facts quiet" });
  #limits = el("ul", { class: "limits" });
  #notes = el("ul", { class: "notes" });
  #body = el("div", { class: "stack", hidden: true });
  #missing = el("p", { class: "empty" }, "Waiting for the daemon.");
  #chart = new Chart();
  #ahead = new Ahead();
  #components = new Components();
  #moved = new Moved();
  #allocation = panel("Allocation", { class: "panel allocation-panel" });
  #orders = el("div", { class: "stack" });
  #weights = new Weights();
  #hold;
  #history;
  #load = paced(() => this.#read(), READ_MS);
  #simulate = paced(() => this.#simulated(), READ_MS);

  constructor(link, name) {
    this.#link = link;
    this.#name = name;
    this.title = name;
    this.#history = new History(link, name);
    this.#hold = new Hold(link);
    this.#allocation.append(this.#orders, this.#hold.element);
    this.#body.append(
      el("div", { class: "pair" }, panel("Limits", {}, this.#limits, this.#notes), panel("Forecast and outcome", { class: "panel history" }, this.#chart.element)),
      this.#ahead.element,
      el("div", { class: "pair" }, el("div", { class: "stack" }, this.#components.element, this.#weights.element), this.#moved.element),
      this.#allocation,
    );
    this.element = el("div", { class: "one" }, el("div", { class: "title" }, ...this.#badge.parts, el("h2", {}, name), this.#facts), this.#missing, this.#body);
  }

  update(snapshot) {
    const report = snapshot.reports.find((r) => r.portfolio === this.#name);
    this.#missing.hidden = Boolean(report);
    this.#body.hidden = !report;
    if (!report) {
      const others = snapshot.reports.length ? "The overview lists those there are." : `riskd is ${snapshot.phase}.`;
      this.#missing.textContent = `Nothing has been reported of a portfolio ${this.#name}. ${others}`;
      return;
    }
    const key = JSON.stringify(report);
    const proposal = snapshot.proposals.find((p) => p.portfolio === this.#name) ?? null;
    if (key !== this.#report) this.#show(report);
    this.#report = key;
    this.#offer(report, proposal);
    if (this.#seen !== key) this.#load();
    this.#simulate();
  }

  setFresh(fresh) {
    this.#badge.setFresh(fresh);
  }

  close() {
    this.#closed = true;
    this.#chart.close();
    this.#ahead.close();
  }

  #show(report) {
    this.element.dataset.status = report.status;
    this.#badge.show(report.status);
    this.#facts.textContent = factsOf(report);
    const none = quiet("This portfolio has no limits.");
    this.#limits.replaceChildren(...(report.limits.length ? report.limits.map((limit) => limitRow(report, limit)) : [el("li", {}, none)]));
    this.#notes.replaceChildren(...[...report.notes, ...report.doubts.map((d) => `${d.symbol} ${d.session}: ${d.detail}`)].map((note) => el("li", {}, note)));
    this.#components.show(report);
    this.#moved.show(report);
    this.#hold.show(report);
  }

  // Drawn again only when it changed, so that what is unfolded stays so.
  #offer(report, proposal) {
    const key = JSON.stringify([proposal, report.weights, report.session]);
    if (this.#orders.dataset.key === key) return;
    this.#orders.dataset.key = key;
    this.#orders.className = proposal ? "pair" : "stack";
    const weights = el("div", { class: "stack" }, allocation(report, proposal), proposal ? frontierChart(proposal) : null);
    this.#orders.replaceChildren(...(proposal ? [proposalNote(proposal)] : []), weights);
  }

  async #read() {
    const seen = this.#report;
    try {
      const rows = await this.#history.read(sessionsFor(this.#chart.width));
      if (this.#closed) return;
      this.#seen = seen;
      this.#chart.show(rows);
      this.#weights.show(rows);
    } catch (error) {
      console.warn(`history of ${this.#name}: ${error.message}`); // the next change asks again
    }
  }

  // Scenarios follow a little after the figures, so every change asks for them.
  async #simulated() {
    const report = JSON.parse(this.#report);
    try {
      const shape = await this.#link.json(`api/v1/portfolios/${encodeURIComponent(this.#name)}/scenarios`);
      if (!this.#closed) this.#ahead.show(report, report.figures.length && shape.horizons.length ? shape : null);
    } catch (error) {
      console.warn(`scenarios of ${this.#name}: ${error.message}`);
    }
  }
}
