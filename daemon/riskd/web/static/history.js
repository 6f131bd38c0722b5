// What charts show of one portfolio's past sessions, read again only where it is new.

import { merged } from "./series.js";

const OVERLAP = 30; // newest rows asked for when some are held already

// Columns of the API as rows, oldest first; each with what is drawn of it.
export function rowsOf(series) {
  let held = { weights: {}, cash: 0 };
  const turns = new Map(series.holdings.map((h) => [h.row, h]));
  return series.sessions.map((session, i) => {
    held = turns.get(i) ?? held;
    const figures = series.figures.map((f) => ({ level: f.level, horizon: f.horizon, var: f.var[i], cvar: f.cvar[i] }));
    const limits = series.limits.filter((l) => l.state[i] !== null).map((l) => ({ name: l.name, level: l.level, horizon: l.horizon, max_cvar: l.max_cvar[i] }));
    return { session, realised_loss: series.loss[i], figures, limits, weights: held.weights, cash: held.cash };
  });
}

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

  async #last(count) {
    return rowsOf(await this.#link.json(`api/v1/portfolios/${encodeURIComponent(this.#name)}/series?last=${count}`));
  }
}
