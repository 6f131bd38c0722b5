// Model health of one portfolio: coverage, calibration, evidence, the contest of models, drift.

import { contestTable } from "./contest.js";
import { el } from "./dom.js";
import { drawDrift } from "./drift.js";
import { Drawing } from "./drawing.js";
import { drawEvidence } from "./evidence.js";
import { NONE, known, level, percent, probability } from "./format.js";
import { bySeverity } from "./header.js";
import { paced } from "./link.js";
import { choice, panel, quiet } from "./panel.js";
import { drawPit } from "./pit.js";
import { systemParts } from "./systems.js";
import { table } from "./table.js";

const READ_MS = 2000;
const CLEAR = 0.05;

function coverageTable(record) {
  const rows = record.coverage.map((c) => [
    level(c.level),
    `${c.exceedances}${c.missing ? ` and ${c.missing} without a figure` : ""} of ${c.sessions}`,
    `${((1 - c.level) * c.sessions).toFixed(1)}`,
    `${c.least} to ${c.most}`,
    el("span", { class: "zone", "data-zone": c.zone }, c.zone),
  ]);
  return table("coverage", "One-session VaR against what was lost", ["level", "exceptions", "expected", "usual", "Basel's zone"], rows);
}

function driftWords(crps) {
  const [recent, long] = [crps["20"], crps["250"]];
  if (!known(recent) || !known(long)) return "No scores yet.";
  const ratio = `${(recent / long).toFixed(2)} times`;
  return `CRPS of the newest session ${percent(crps["1"], 3)}, of up to 20 sessions ${percent(recent, 3)}: ${ratio} the mean of up to 250, ${percent(long, 3)}. It grows with volatility too: the contest above says whether others do better.`;
}

export class View {
  #link;
  #asked;
  #name = null;
  #level = null;
  #health = null;
  #systems = null; // read once: they change only with the daemon
  #record = null;
  #closed = false;
  #wanted = null; // what the newest report would show
  #seen = null; // what is shown
  #title = el("h2", {}, "Model health");
  #facts = el("span", { class: "facts quiet" });
  #coverage = panel("Coverage", {});
  #pit = new Drawing(210);
  #pitWords = el("p", { class: "caption" });
  #contest = panel("Champion and challengers", { class: "panel contest-panel" });
  #register = panel("Every registered system", { class: "panel register" });
  #evidence = new Drawing(230);
  #evidenceWords = el("p", { class: "caption" });
  #drift = new Drawing(200);
  #driftWords = el("p", { class: "caption" });
  #empty = el("p", { class: "empty" }, "Waiting for the daemon.");
  #body = el("div", { class: "stack", hidden: true });
  #load = paced(() => this.#read(), READ_MS);

  constructor(link, name) {
    this.#link = link;
    this.#asked = name;
    this.title = "model health";
    this.#body.append(
      el("div", { class: "pair" }, this.#coverage, panel("Calibration", {}, this.#pit.element, this.#pitWords)),
      this.#contest,
      el(
        "div",
        { class: "pair" },
        panel("Evidence against the forecasts", {}, this.#evidence.element, this.#evidenceWords),
        panel("Drift", {}, this.#drift.element, this.#driftWords),
      ),
      this.#register,
    );
    this.element = el("div", { class: "one" }, el("div", { class: "title" }, this.#title, this.#facts), this.#empty, this.#body);
  }

  update(snapshot) {
    const names = [...snapshot.reports].sort(bySeverity).map((r) => r.portfolio);
    this.#name = this.#asked ?? this.#name ?? names[0] ?? null;
    const report = snapshot.reports.find((r) => r.portfolio === this.#name);
    this.#record = snapshot.records?.find((r) => r.portfolio === this.#name) ?? null;
    this.#empty.hidden = Boolean(report);
    this.#body.hidden = !report;
    this.#empty.textContent = this.#name && names.length ? `Nothing has been reported of a portfolio ${this.#name}.` : `No figures yet: riskd is ${snapshot.phase}.`;
    if (!report) return;
    this.#title.textContent = `Model health: ${this.#name}`;
    this.#facts.textContent = `champion ${snapshot.model} on ${snapshot.provider}`;
    const key = `${this.#name} ${report.session} ${report.provenance.prices}`;
    this.#wanted = key;
    if (key !== this.#seen) this.#load();
  }

  close() {
    this.#closed = true;
    for (const drawing of [this.#pit, this.#evidence, this.#drift]) drawing.close();
  }

  async #read() {
    const wanted = this.#wanted;
    try {
      this.#health = await this.#link.json(`api/v1/portfolios/${encodeURIComponent(this.#name)}/model`);
      this.#systems ??= await this.#link.json("api/v1/systems");
      if (this.#closed) return;
      this.#seen = wanted;
      this.#show();
    } catch (error) {
      console.warn(`model health of ${this.#name}: ${error.message}`); // the next change asks again
    }
  }

  #show() {
    const heading = this.#coverage.firstElementChild;
    this.#coverage.replaceChildren(heading, this.#record?.coverage.length ? coverageTable(this.#record) : quiet("No session has been held against a forecast yet."));
    this.#showPit();
    this.#showContest();
    const scores = this.#health.crps;
    this.#driftWords.textContent = driftWords(this.#record?.crps ?? {});
    if (scores.length > 1) this.#drift.show(`CRPS of every session. ${this.#driftWords.textContent}`, drawDrift(scores));
    this.element.dataset.health = this.#seen;
  }

  #showPit() {
    const { pit_sessions: counts, pit_least: least, pit_most: most } = this.#health;
    const total = counts.reduce((sum, n) => sum + n, 0);
    if (!total) {
      this.#pitWords.textContent = "No outcome has been held against a forecast yet.";
      return;
    }
    const p = this.#record?.pit_p;
    const verdict = !known(p) ? "" : ` Kolmogorov-Smirnov p ${probability(p)}: ${p < CLEAR ? "not what a right model gives" : "as a right model gives"}.`;
    this.#pitWords.textContent = `Where ${total} outcomes fell in what was forecast for them; ${least} to ${most} a bin are usual (band).${verdict}`;
    this.#pit.show(`PIT of ${total} sessions in ten bins: ${counts.join(", ")}. ${this.#pitWords.textContent}`, drawPit(counts, least, most));
  }

  #showContest() {
    const { contests } = this.#health;
    const heading = this.#contest.firstElementChild;
    if (!contests.length) {
      this.#contest.replaceChildren(heading, quiet("No session has been held against a forecast yet."));
      this.#showSystems(null);
      return;
    }
    this.#level = contests.some((c) => c.level === this.#level) ? this.#level : contests[0].level;
    const pick = choice("Level", contests.map((c) => [c.level, level(c.level)]), this.#level, (at) => {
      this.#level = at;
      this.#drawContest(box);
    });
    const box = el("div", { class: "stack" });
    this.#contest.replaceChildren(heading, pick, box);
    this.#drawContest(box);
  }

  #drawContest(box) {
    const contest = this.#health.contests.find((c) => c.level === this.#level);
    const { first, last } = this.#health;
    const words = "FZ0 scores VaR and CVaR together, pinball VaR alone: lower is better. Level: the difference may be luck (Diebold-Mariano). Rivals and challengers judge beside the champion and never replace its figures.";
    this.#showSystems(contest);
    box.replaceChildren(contestTable(contest), el("p", { class: "caption" }, `${first ?? NONE} to ${last ?? NONE}. ${words}`));
    const told = "What a bettor against VaR and CVaR holds who began with 1 (an e-process): above 20 a right forecast gets with a chance of 5 % at most, whenever one looks. Strong line: the champion.";
    this.#evidenceWords.textContent = told;
    const ends = contest.entrants.filter((e) => known(e.evidence)).map((e) => `${e.name} ${e.evidence.toPrecision(3)}`);
    this.#evidence.show(`Evidence against each model at ${level(contest.level)}: ${ends.join(", ")}.`, drawEvidence(contest, first, last));
  }
  // What a reader has folded stays folded.
  #showSystems(contest) {
    const heading = this.#register.firstElementChild;
    const folded = new Set([...this.#register.querySelectorAll("details:not([open]) > summary")].map((s) => s.textContent));
    const parts = systemParts(this.#systems, contest);
    for (const part of parts) part.open = !folded.has(part.firstElementChild.textContent);
    const live = contest ? `FZ0 here is that of ${this.#name} at ${level(contest.level)} in the contest above.` : "Nothing was held against a forecast here yet.";
    const words = `${live} The laboratory's scores are strictly out of sample, on the market and span named with them; they are no promise for these portfolios.`;
    this.#register.replaceChildren(heading, el("p", { class: "caption" }, words), ...parts);
  }
}
