// The reports of one portfolio, read again only where they are new.

import { merged } from "./series.js";

const OVERLAP = 30; // newest rows asked for when some are held already

export class History {
  rows = [];
  #link;
  #name;

  constructor(link, name) {
    this.#link = link;
    this.#name = name;
  }

  // Rows up to the newest, oldest first, most at most.
  async read(most) {
    const newer = this.rows.length ? merged(this.rows, await this.#last(OVERLAP), most) : null;
    this.rows = newer ?? (await this.#last(most));
    return this.rows;
  }

  #last(count) {
    return this.#link.json(`api/v1/portfolios/${encodeURIComponent(this.#name)}/history?last=${count}`);
  }
}
