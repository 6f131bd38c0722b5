// What a person says to the daemon from this page: why, a button for each thing that can be said, and what came of it.

import { el } from "./dom.js";
import { bearer, speaker } from "./token.js";

// An id of its own for each press, so that a command sent twice is heeded once.
function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `page-${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
}

// A button that gives the command `name`; fields are read when it is pressed.
export function command(text, name, fields) {
  return { text, path: `api/v1/commands/${name}`, body: () => ({ id: freshId(), ...fields() }), done: (r) => (r?.detail ? `${r.status}: ${r.detail}` : "Taken.") };
}

function lacking(body, needsReason) {
  if (!body.author) return "Say who you are.";
  if (!bearer()) return "The token is needed.";
  return body.reason || !needsReason ? null : "Say why.";
}

// label: what the reason is for; choices: {text, path, body, done}, done says in words what an answer means.
export function sayer(link, label, choices, { beside = null, needsReason = true } = {}) {
  const reason = el("input", { type: "text", name: "reason", maxlength: 500, autocomplete: "off" });
  const said = el("p", { class: "said", role: "status" });
  async function send(choice) {
    const why = reason.value.trim();
    const body = { ...choice.body(), author: speaker(), ...(why ? { reason: why } : {}) };
    const lacks = lacking(body, needsReason);
    said.textContent = lacks ?? "Sending.";
    if (lacks) return;
    try {
      said.textContent = choice.done(await link.post(choice.path, body, bearer()));
    } catch (error) {
      said.textContent = error.message;
    }
  }
  const buttons = choices.map((choice) => {
    const button = el("button", { type: "button" }, choice.text);
    button.addEventListener("click", () => send(choice));
    return button;
  });
  const why = el("label", { class: "field" }, el("span", {}, label), reason);
  return el("div", { class: "decide" }, why, el("div", { class: "buttons" }, ...buttons, beside), said);
}
