// A table with a caption; where it is wider than its place it scrolls inside it, and the keyboard reaches it.

import { el } from "./dom.js";

// The head of a column; one without a name is no header.
export const head = (text) => (text ? el("th", { scope: "col" }, text) : el("td"));

// rows: arrays of text or elements, the first cell naming the row.
export function table(name, caption, heads, rows, { tall = false } = {}) {
  const cells = (row) => row.map((text, i) => (i ? el("td", {}, text) : el("th", { scope: "row" }, text)));
  return el(
    "div",
    { class: tall ? "wide tall" : "wide", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: `table ${name}` },
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...heads.map(head))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...cells(row)))),
    ),
  );
}
