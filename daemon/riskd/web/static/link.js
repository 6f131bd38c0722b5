// The connection to the daemon: says when something changed, and whether it is still there.

const SILENCE_MS = 75_000; // longer than this without an answer and the page goes grey
const PULSE_MS = 30_000; // a stream cut without a word is only noticed by asking
const ANSWER_MS = 10_000;
const HEEDED_MS = 30_000; // what is posted is worked on before it is answered
const REOPEN_MS = 5_000;

export class Link {
  #onChange;
  #source = null;
  #streaming = false;
  #answeredAt = -Infinity; // performance.now() of the last answer
  #skew = 0; // server clock minus ours, milliseconds
  lostAt = null;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  start() {
    this.#open();
    setInterval(() => this.#onChange(), PULSE_MS);
  }

  // The server's clock, so that a wrong clock here cannot keep old figures fresh.
  now() {
    return Date.now() + this.#skew;
  }

  // Why the page cannot be trusted to be current, or null.
  get fault() {
    if (!this.#streaming) return "The daemon does not answer";
    if (performance.now() - this.#answeredAt > SILENCE_MS) return "The daemon has gone silent";
    return null;
  }

  json(path) {
    return this.#ask(path, {});
  }

  // Posts a body; token is what a bearer must show, null where none is needed. Throws with the refusal's own sentence.
  post(path, body, token = null) {
    const headers = { "Content-Type": "application/json", ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
    return this.#ask(path, { method: "POST", headers, body: JSON.stringify(body) }, HEEDED_MS);
  }

  async #ask(path, options, patience = ANSWER_MS) {
    const response = await fetch(path, { ...options, signal: AbortSignal.timeout(patience), cache: "no-store" });
    const text = await response.text();
    const body = readable(text);
    if (!response.ok) throw new Error(body?.detail ?? `${response.status} ${response.statusText}`);
    this.#answered(response.headers.get("Date"));
    return body;
  }

  #answered(date) {
    this.#answeredAt = performance.now();
    const skew = Date.parse(date) - Date.now();
    if (Number.isFinite(skew)) this.#skew = Math.abs(skew) > 2000 ? skew : 0; // the header counts whole seconds
  }

  #open() {
    this.#source = new EventSource("api/v1/stream");
    this.#source.addEventListener("open", () => {
      this.#streaming = true;
      this.lostAt = null;
      this.#onChange();
    });
    this.#source.addEventListener("change", () => this.#onChange());
    this.#source.addEventListener("error", () => this.#lost());
  }

  #lost() {
    this.lostAt ??= this.now();
    this.#streaming = false;
    if (this.#source.readyState === EventSource.CLOSED) setTimeout(() => this.#open(), REOPEN_MS); // it does not retry refusals
  }
}

function readable(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's own words are no answer of riskd's
  }
}

// Runs fn at most once per interval and never twice at once; calls in between become one later call.
export function paced(fn, intervalMs) {
  let running = false;
  let again = false;
  return async function call() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    const rest = new Promise((resolve) => setTimeout(resolve, intervalMs));
    try {
      await fn();
    } finally {
      await rest;
      running = false;
      if (again) {
        again = false;
        call();
      }
    }
  };
}
