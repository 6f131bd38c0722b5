// Whether outcomes fell evenly over what was forecast: ten bins, and the band a right model stays in.

import { shape } from "./dom.js";
import { linear } from "./scale.js";

const EDGE = { left: 30, right: 8, top: 10, bottom: 24 };

// counts: sessions in ten equal bins, the last one the worst days; least to most: 95 % band of one bin.
export function drawPit(counts, least, most) {
  return (width, height) => {
    const bottom = height - EDGE.bottom;
    const top = Math.max(...counts, most, 1) * 1.08;
    const x = linear([0, counts.length], [EDGE.left, width - EDGE.right]);
    const y = linear([0, top], [bottom, EDGE.top]);
    const total = counts.reduce((sum, n) => sum + n, 0);
    const bins = counts.map((n, i) =>
      shape("rect", { class: n < least || n > most ? "bin bin-tail" : "bin", x: x(i) + 1, width: x(1) - x(0) - 2, y: y(n), height: bottom - y(n) }),
    );
    const numbers = counts.map((n, i) => shape("text", { class: "tick", x: x(i + 0.5), y: Math.max(y(n) - 4, EDGE.top + 8), "text-anchor": "middle" }, n || ""));
    const even = total / counts.length;
    return [
      shape("rect", { class: "band", x: EDGE.left, width: width - EDGE.right - EDGE.left, y: y(most), height: y(least) - y(most) }),
      ...bins,
      shape("line", { class: "mark mark-even", x1: EDGE.left, x2: width - EDGE.right, y1: y(even), y2: y(even) }),
      shape("line", { class: "axis", x1: EDGE.left, x2: width - EDGE.right, y1: bottom, y2: bottom }),
      ...numbers,
      shape("text", { class: "tick", x: EDGE.left, y: bottom + 16 }, "best days"),
      shape("text", { class: "tick", x: width - EDGE.right, y: bottom + 16, "text-anchor": "end" }, "worst days"),
    ];
  };
}
