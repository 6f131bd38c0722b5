// What if: a question about one portfolio, answered on the scenarios that its figures were taken from.

import { answerPanels } from "./answer.js";
import { el } from "./dom.js";
import { limitRow } from "./limits.js";
import { panel, quiet } from "./panel.js";
import { Question } from "./question.js";

export class View {
  #link;
  #name;
  #question;
  #report = null;
  #stale = el("p", { class: "caption", role: "status", hidden: true }, "Newer figures have come since this was asked: ask again.");
  #asked = null; // session of the answer that is shown
  #now = el("ul", { class: "limits" });
  #answer = el("div", { class: "stack", id: "answer" }, panel("Limits now", {}, this.#now, quiet("Nothing is changed by asking: no order is placed, no state is kept.")));
  #facts = el("span", { class: "facts quiet" });

  constructor(link, name) {
    this.#link = link;
    this.#name = name;
    this.title = `what if ${name}`;
    this.#question = new Question(name, (body) => this.#ask(body));
    this.element = el(
      "div",
      { class: "one" },
      el("div", { class: "title" }, el("h2", {}, `What if: ${name}`), this.#facts),
      el("div", { class: "asking" }, panel("Question", { class: "panel question-panel" }, this.#question.element), el("div", { class: "stack" }, this.#stale, this.#answer)),
    );
  }

  update(snapshot) {
    this.#report = snapshot.reports.find((r) => r.portfolio === this.#name) ?? null;
    this.#facts.textContent = this.#report ? `scenarios of session ${this.#report.session}` : "nothing has been reported of it yet";
    if (this.#report) this.#question.offer(this.#report);
    this.#now.replaceChildren(...(this.#report?.limits ?? []).map((limit) => limitRow(this.#report, limit)));
    this.#stale.hidden = this.#asked === null || this.#asked === this.#report?.session;
  }

  close() {}

  async #ask(body) {
    const answer = await this.#link.post("api/v1/what-if", body);
    this.#asked = answer.session;
    this.#stale.hidden = this.#asked === this.#report?.session;
    this.#answer.replaceChildren(...answerPanels(answer));
    this.#answer.dataset.answered = answer.session;
  }
}
