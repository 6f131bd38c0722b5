// One part of a view under its own heading.

import { el } from "./dom.js";

let count = 0;

export function panel(title, attributes = {}, ...children) {
  const id = `panel-${++count}`;
  return el("section", { class: "panel", "aria-labelledby": id, ...attributes }, el("h3", { id }, title), ...children);
}

// A choice among a few, as buttons of which one is pressed.
export function choice(label, options, chosen, onChoose) {
  const buttons = options.map(([value, text]) => {
    const button = el("button", { type: "button", "aria-pressed": String(value === chosen) }, text);
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      onChoose(value);
    });
    return button;
  });
  return el("div", { class: "choice", role: "group", "aria-label": label }, ...buttons);
}

export const quiet = (text) => el("p", { class: "quiet" }, text);
