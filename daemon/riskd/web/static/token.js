// The bearer token that changes need: typed by a person, kept in this page's memory and nowhere else.

import { el } from "./dom.js";

let token = "";
let author = "";

export const bearer = () => token;
export const speaker = () => author;

function field(label, attributes, set) {
  const input = el("input", { autocomplete: "off", spellcheck: "false", ...attributes });
  input.addEventListener("input", () => set(input.value));
  return el("label", { class: "field" }, el("span", {}, label), input);
}

// Who speaks, and what lets them; both hold for every form until the page is left.
export function credentials() {
  const name = field("Your name", { type: "text", name: "author", maxlength: 80, value: author }, (value) => { author = value.trim(); });
  const secret = field("Token of web.token_file", { type: "password", name: "token", maxlength: 512, value: token }, (value) => { token = value.trim(); });
  const form = el("form", { class: "fields", "aria-label": "Who decides" }, name, secret);
  form.addEventListener("submit", (event) => event.preventDefault());
  return form;
}
