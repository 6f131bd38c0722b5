// A drawing of its place's width, made again when that changes; its text keeps its size.

import { el, shape } from "./dom.js";
import { percent } from "./format.js";
import { digitsOf } from "./scale.js";

export class Drawing {
  #draw = null;
  #width = 0;
  #svg;
  #height;
  #resized = new ResizeObserver(() => this.#fit());

  constructor(height) {
    this.#height = height;
    this.#svg = shape("svg", { role: "img", height, "aria-label": "" });
    this.element = el("div", { class: "drawing", hidden: true }, this.#svg); // until there is something to see
    this.#resized.observe(this.element);
  }

  // draw(width, height) gives the shapes; label says in words what they show.
  show(label, draw) {
    this.#draw = draw;
    this.element.hidden = false;
    this.#svg.setAttribute("aria-label", label);
    this.#render();
  }

  close() {
    this.#resized.disconnect();
  }

  #fit() {
    if (Math.abs(this.element.clientWidth - this.#width) >= 1) this.#render();
  }

  #render() {
    this.#width = this.element.clientWidth;
    if (!this.#draw || this.#width === 0) return;
    this.#svg.setAttribute("width", this.#width);
    this.#svg.replaceChildren(...this.#draw(this.#width, this.#height));
  }
}

// Lines across at every tick with its percentage on the left.
export function leftAxis(values, y, left, right) {
  const digits = digitsOf(values);
  return values.flatMap((value) => [
    shape("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
    shape("text", { class: "tick", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, percent(value, digits)),
  ]);
}

// Percentages below, one at every tick.
export function bottomAxis(values, x, top, bottom) {
  const digits = digitsOf(values);
  return values.flatMap((value) => [
    shape("line", { class: "grid", x1: x(value), x2: x(value), y1: top, y2: bottom }),
    shape("text", { class: "tick", x: x(value), y: bottom + 16, "text-anchor": "middle" }, percent(value, digits)),
  ]);
}

const LINE = 15; // height of a line of words

// Lines down to bottom with their words on the left, the words of each above the lines of those before it. marks: {name, text, at}
export function marked(marks, x, top, bottom) {
  const sorted = [...marks].sort((a, b) => a.at - b.at);
  return sorted.flatMap(({ name, text, at }, i) => {
    const from = top + LINE * (sorted.length - 1 - i);
    const words = { class: `mark-text mark-${name}`, x: x(at) - 5, y: from + 11, "text-anchor": "end" };
    return [shape("line", { class: `mark mark-${name}`, x1: x(at), x2: x(at), y1: from, y2: bottom }), shape("text", words, text)];
  });
}
