// One portfolio: status, limits, history and weights, folded away or open.

import { allocation, proposalNote } from "./allocation.js";
import { Chart, sessionsFor } from "./chart.js";
import { el } from "./dom.js";
import { grouped, percent } from "./format.js";
import { paced } from "./link.js";
import { binding, figureFor, limitBar, limitRow } from "./limits.js";
import { merged } from "./series.js";

const OVERLAP = 30; // newest rows asked for when some are held already
const HISTORY_MS = 2000;

function digest(report) {
  const limit = binding(report);
  if (!limit) return [el("span", { class: "quiet" }, "no limits")];
  return [
    limitBar(limit, figureFor(report, limit)),
    el("span", { class: "digest-text" }, el("b", { class: "figure" }, percent(limit.cvar)), ` of ${percent(limit.max_cvar)}`),
  ];
}

export class Card {
  #link;
  #rows = [];
  #fresh = true;
  #report = null;
  #chart = null;
  #badge = el("span", { class: "badge" });
  #was = el("span", { class: "was quiet" });
  #facts = el("span", { class: "card-facts quiet" });
  #digest = el("span", { class: "digest" });
  #limits = el("ul", { class: "limits" });
  #history = el("div", { class: "history" });
  #weights = el("div", { class: "allocation" });
  #notes = el("ul", { class: "notes" });
  #load = paced(() => this.#loadHistory(), HISTORY_MS);

  constructor(name, link, open) {
    this.name = name;
    this.#link = link;
    this.element = el(
      "details",
      { class: "card", open, "aria-label": `Portfolio ${name}` },
      el("summary", {}, this.#badge, el("h2", {}, name), this.#was, this.#facts, this.#digest),
      el("div", { class: "card-body" }, el("div", { class: "card-left" }, this.#limits, this.#notes, this.#weights), this.#history),
    );
    this.element.addEventListener("toggle", () => this.#unfold());
  }

  get status() {
    return this.#report.status;
  }

  update(report, proposal) {
    this.#report = report;
    this.element.dataset.status = report.status;
    const value = report.value === 1 ? "" : `, ${grouped(report.value)} ${report.currency}`;
    const priced = report.coverage < 1 ? ` (${percent(report.coverage, 1)} of holdings priced)` : "";
    this.#facts.textContent = `data grade ${report.grade}${priced}, ${report.session}${value}`;
    this.#digest.replaceChildren(...digest(report));
    this.#limits.replaceChildren(...report.limits.map((limit) => limitRow(report, limit)));
    this.#notes.replaceChildren(...report.notes.map((note) => el("li", {}, note)));
    this.#weights.replaceChildren(...(proposal ? [proposalNote(proposal)] : []), allocation(report, proposal));
    this.#showBadge();
    this.#unfold();
  }

  setFresh(fresh) {
    if (fresh === this.#fresh) return;
    this.#fresh = fresh;
    this.#showBadge();
  }

  close() {
    this.#chart?.close();
    this.element.remove();
  }

  #showBadge() {
    this.#badge.dataset.status = this.#fresh ? this.status : "STALE";
    this.#badge.textContent = this.#badge.dataset.status;
    this.#was.textContent = this.#fresh ? "" : `was ${this.status}`;
  }

  // History is read only for cards that are open.
  #unfold() {
    if (!this.element.open || !this.element.isConnected || this.#rows.at(-1)?.session === this.#report?.session) return;
    if (!this.#chart) {
      this.#chart = new Chart();
      this.#history.append(this.#chart.element);
    }
    this.#load();
  }

  async #loadHistory() {
    const most = sessionsFor(this.#chart.width);
    const read = (last) => this.#link.json(`api/v1/portfolios/${encodeURIComponent(this.name)}/history?last=${last}`);
    try {
      const newer = this.#rows.length ? merged(this.#rows, await read(OVERLAP), most) : null;
      this.#rows = newer ?? (await read(most));
      this.#chart.show(this.#rows);
    } catch (error) {
      console.warn(`history of ${this.name}: ${error.message}`); // the next change asks again
    }
  }
}
