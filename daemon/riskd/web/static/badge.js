// A portfolio's status as a coloured word; grey while the page cannot be believed.

import { el } from "./dom.js";

export class Badge {
  #status = null;
  #fresh = true;
  #badge = el("span", { class: "badge" });
  #was = el("span", { class: "was quiet" });

  constructor() {
    this.parts = [this.#badge, this.#was];
  }

  show(status) {
    this.#status = status;
    this.#draw();
  }

  setFresh(fresh) {
    if (fresh === this.#fresh) return;
    this.#fresh = fresh;
    this.#draw();
  }

  #draw() {
    this.#badge.dataset.status = this.#fresh ? this.#status : "STALE";
    this.#badge.textContent = this.#badge.dataset.status;
    this.#was.textContent = this.#fresh ? "" : `was ${this.#status}`;
  }
}
