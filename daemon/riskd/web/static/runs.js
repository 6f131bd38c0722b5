// What every step of the fold spent its time on: the stages of a session one below the other, on one scale of time.

import { el, placed } from "./dom.js";
import { moment, span } from "./format.js";
import { paced } from "./link.js";
import { panel, quiet } from "./panel.js";
import { command, sayer } from "./say.js";
import { head } from "./table.js";
import { credentials } from "./token.js";

const READ_MS = 1500;
const LAST = 60;
const OPEN = 1; // cycles that are unfolded at first
const WORDS = {
  prices: "ask the sources",
  judgement: "judge prices",
  state: "take returns in",
  scenarios: "simulate",
  rivals: "simulate rivals",
  risk: "figures and limits",
  explanation: "explain",
  proposals: "proposals due",
  commit: "commit",
  banks: "second bank",
  allocation: "allocate and verify",
  shapes: "losses ahead",
};

const took = (seconds) => (seconds < 0.001 ? "<1 ms" : seconds < 1 ? `${Math.round(seconds * 1000)} ms` : seconds < 100 ? `${seconds.toFixed(2)} s` : span(seconds * 1000));

// Consecutive steps of one session are one cycle; each with its steps oldest first.
export function cycles(runs) {
  const found = [];
  for (const run of runs) {
    if (found.length && found.at(-1).session === run.session && !run.fault) found.at(-1).runs.unshift(run);
    else found.push({ session: run.session, runs: [run] });
  }
  return found;
}

function stageRow(stage, after, total, what) {
  const from = (after + stage.after) / total;
  const bar = placed(el("span", { class: stage.failed ? "span-fill span-bad" : "span-fill" }), { from, to: Math.min(1, from + stage.seconds / total) });
  return el(
    "tr",
    { class: what ? "begins" : null },
    el("th", { scope: "row" }, WORDS[stage.name] ?? stage.name, what ? el("span", { class: "what quiet" }, what) : null),
    el("td", { class: "bar-cell" }, el("div", { class: "span-bar", "aria-hidden": "true" }, bar)),
    el("td", {}, stage.failed ? el("b", { class: "bad" }, `failed after ${took(stage.seconds)}`) : took(stage.seconds)),
  );
}

function waterfall(cycle) {
  const begun = Date.parse(cycle.runs[0].begun_at);
  const after = (run) => Math.max(0, (Date.parse(run.begun_at) - begun) / 1000);
  const total = Math.max(...cycle.runs.map((run) => after(run) + run.seconds), 1e-6);
  const rows = cycle.runs.flatMap((run) => run.stages.map((stage, i) => stageRow(stage, after(run), total, i === 0 ? run.what : null)));
  const heads = ["stage", "", "took"].map(head);
  const drawn = el(
    "table",
    { class: "table bars stages" },
    el("caption", {}, `Begun ${moment(begun)}; the bars span ${took(total)}`),
    el("thead", {}, el("tr", {}, ...heads)),
    el("tbody", {}, ...rows),
  );
  const faults = cycle.runs.filter((run) => run.fault).map((run) => el("p", { class: "bad" }, run.fault));
  return [...faults, drawn];
}

function summary(cycle) {
  const total = cycle.runs.reduce((sum, run) => sum + run.seconds, 0);
  const fault = cycle.runs.some((run) => run.fault) ? el("b", { class: "bad" }, "failed") : null;
  return el("summary", {}, el("b", {}, cycle.session ?? "no session"), el("span", { class: "quiet" }, cycle.runs.map((run) => run.what).join(", ")), fault, el("span", { class: "took" }, took(total)));
}

function again(link) {
  const form = sayer(link, "Why, if there is something to say", [command("recompute", "recompute", () => ({}))], { needsReason: false });
  return el("details", { class: "say" }, el("summary", {}, "Recompute: ask the sources again and judge the newest session again"), credentials(), form);
}

const keyOf = (cycle) => `${cycle.session} ${cycle.runs[0].begun_at}`;

export class View {
  title = "runs";
  #link;
  #closed = false;
  #open = new Map(); // what a person unfolded or folded
  #key = null;
  #counts = el("p", { class: "facts quiet" });
  #list = el("div", { class: "stack", id: "runs" });
  #load = paced(() => this.#read(), READ_MS);

  constructor(link) {
    this.#link = link;
    this.element = el("div", { class: "one" }, el("div", { class: "title" }, el("h2", {}, "Runs"), this.#counts), again(link), panel("Stages of the newest steps", { class: "panel runs-panel" }, this.#list));
  }

  update(snapshot) {
    const counts = Object.entries(snapshot.cycles).map(([outcome, count]) => `${count} ${outcome}`);
    this.#counts.textContent = counts.length ? `since the start: ${counts.join(", ")}` : "no cycle since the start";
    this.#load();
  }

  close() {
    this.#closed = true;
  }

  async #read() {
    try {
      const runs = await this.#link.json(`api/v1/runs?last=${LAST}`);
      const key = JSON.stringify(runs[0] ?? null);
      if (this.#closed || key === this.#key) return;
      this.#key = key;
      const found = cycles(runs).map((cycle, i) => this.#cycle(cycle, i));
      this.#list.replaceChildren(...(found.length ? found : [quiet("Nothing has run since the start.")]));
    } catch (error) {
      console.warn(`runs: ${error.message}`); // the next change asks again
    }
  }

  #cycle(cycle, place) {
    const key = keyOf(cycle);
    const open = this.#open.get(key) ?? place < OPEN;
    const box = el("details", { class: "cycle", open }, summary(cycle), ...(open ? waterfall(cycle) : []));
    box.addEventListener("toggle", () => {
      if (box.open !== open || this.#open.has(key)) this.#open.set(key, box.open);
      if (box.open && !box.querySelector("table")) box.append(...waterfall(cycle));
    });
    return box;
  }
}
