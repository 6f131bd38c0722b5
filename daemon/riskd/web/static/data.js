// How far prices can be trusted: grades, what waits for a decision, what was restated, and what each source last said.

import { el } from "./dom.js";
import { NONE, moment, percent } from "./format.js";
import { bySeverity } from "./header.js";
import { paced } from "./link.js";
import { panel, quiet } from "./panel.js";
import { QuarantineList } from "./quarantine.js";
import { address } from "./route.js";
import { table } from "./table.js";

const READ_MS = 2000;
const LAST_REVISIONS = 50;
const FEED_WORDS = { failing: "does not answer", working: "answers", failover: "stands in", failback: "no longer needed" };

function gradesTable(reports) {
  const rows = reports.map((report) => {
    const below = Object.entries(report.symbol_grades ?? {}).map(([symbol, grade]) => `${symbol} ${grade}`);
    const link = el("a", { href: address("portfolio", report.portfolio) }, report.portfolio);
    return [link, el("b", { class: "grade", "data-grade": report.grade }, report.grade), percent(report.coverage, 1), report.session, below.join(", ") || "every holding A"];
  });
  return table("grades", "Grade of what each portfolio's figures rest on", ["portfolio", "grade", "priced", "session", "below A"], rows);
}

function revisionsTable(revisions) {
  const rows = revisions.map((r) => [
    r.symbol,
    r.kind,
    r.first === r.last ? r.first : `${r.first} to ${r.last}`,
    `× ${Number(r.ratio).toPrecision(5)}`,
    r.source,
    moment(Date.parse(r.seen_at)),
  ]);
  return table("revisions", "What sources changed in their own past, newest first", ["symbol", "kind", "sessions", "by", "source", "seen"], rows, { tall: true });
}

function sourceRow(s) {
  const state = !s.stale ? "current" : el("b", { class: "warn" }, s.newest ? "behind" : "nothing kept");
  return [s.symbol, s.source ?? NONE, s.newest ?? NONE, s.expected ?? NONE, state, `${s.outcome ?? NONE}${s.reason ? `: ${s.reason}` : ""}`];
}

function feeds(told) {
  const turns = Object.entries(told).map(([feed, status]) => el("li", { "data-feed": status }, el("span", {}, feed), el("b", {}, FEED_WORDS[status] ?? status)));
  return turns.length ? turns : [el("li", {}, quiet("No source has changed its ways since the start."))];
}

// The table inside a panel, the heading kept.
const within = (box, ...children) => box.replaceChildren(box.firstElementChild, ...children);

export class View {
  title = "data";
  #link;
  #closed = false;
  #grades = panel("Grades", {});
  #feeds = el("ul", { id: "feeds", class: "facts-list" });
  #sources = panel("Sources", {});
  #revisions = panel("Revisions", {});
  #quarantine;
  #load = paced(() => this.#read(), READ_MS);

  constructor(link) {
    this.#link = link;
    this.#quarantine = new QuarantineList(link, () => this.#load());
    this.element = el(
      "div",
      { class: "one" },
      el("div", { class: "title" }, el("h2", {}, "Data")),
      el("div", { class: "pair" }, panel("Quarantine", { class: "panel quarantine" }, this.#quarantine.element), this.#grades),
      this.#revisions,
      this.#sources,
    );
  }

  update(snapshot) {
    const reports = [...snapshot.reports].sort(bySeverity);
    within(this.#grades, reports.length ? gradesTable(reports) : quiet(`No figures yet: riskd is ${snapshot.phase}.`));
    this.#feeds.replaceChildren(...feeds(snapshot.feeds));
    this.#load();
  }

  close() {
    this.#closed = true;
  }

  async #read() {
    try {
      const [status, held, revisions] = await Promise.all([
        this.#link.json("api/v1/data/status"),
        this.#link.json("api/v1/data/quarantine"),
        this.#link.json(`api/v1/data/revisions?last=${LAST_REVISIONS}`),
      ]);
      if (this.#closed) return;
      this.#quarantine.show(held);
      within(this.#revisions, revisions.length ? revisionsTable(revisions) : quiet("No source has restated its past."));
      const heads = ["symbol", "source", "newest", "expected", "state", "last asked"];
      within(this.#sources, this.#feeds, table("sources", "Every symbol with each source, the oldest first", heads, status.map(sourceRow), { tall: true }));
      this.element.dataset.read = "yes";
    } catch (error) {
      console.warn(`data: ${error.message}`); // the next change asks again
    }
  }
}
