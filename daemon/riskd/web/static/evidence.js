// Evidence against the models over time: what a bettor against each forecast holds, on a logarithmic scale.

import { shape } from "./dom.js";
import { linear } from "./scale.js";

const EDGE = { left: 44, right: 10, top: 18, bottom: 22 };
const STRONG = 20;
const ROOM = 13; // between two names

// Names above the ends of lines, of those that have room; the champion's first.
function names(paths, y, right) {
  const taken = [];
  return paths.flatMap((entrant, i) => {
    const at = y(entrant.path.at(-1)) - 4;
    if (taken.some((other) => Math.abs(other - at) < ROOM)) return [];
    taken.push(at);
    return [shape("text", { class: i === 0 ? "mark-text mark-cvar" : "mark-text", x: right, y: at, "text-anchor": "end" }, entrant.name)];
  });
}

export function drawEvidence(contest, first, last) {
  return (width, height) => {
    const paths = contest.entrants.filter((e) => e.path.length > 1);
    const longest = Math.max(2, ...paths.map((e) => e.path.length));
    const seen = paths.flatMap((e) => e.path);
    const high = Math.max(STRONG * 2, ...seen);
    const low = Math.max(1e-4, Math.min(0.5, ...seen));
    const bottom = height - EDGE.bottom;
    const x = linear([0, longest - 1], [EDGE.left, width - EDGE.right]);
    const log = linear([Math.log10(low), Math.log10(high)], [bottom, EDGE.top]);
    const y = (value) => log(Math.log10(Math.max(value, low)));
    const powers = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((p) => 10 ** p).filter((v) => v >= low && v <= high);
    const line = (entrant, i) =>
      shape("polyline", {
        class: i === 0 ? "line line-champion" : "line",
        points: entrant.path.map((v, at) => `${x(at + longest - entrant.path.length).toFixed(1)},${y(v).toFixed(1)}`).join(" "),
      });
    return [
      ...powers.flatMap((v) => [
        shape("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(v), y2: y(v) }),
        shape("text", { class: "tick", x: EDGE.left - 6, y: y(v) + 4, "text-anchor": "end" }, String(v)),
      ]),
      shape("line", { class: "mark mark-limit", x1: EDGE.left, x2: width - EDGE.right, y1: y(STRONG), y2: y(STRONG) }),
      shape("text", { class: "mark-text mark-limit", x: EDGE.left + 4, y: y(STRONG) - 5 }, "20: strong"),
      ...paths.map(line).reverse(),
      ...names(paths, y, width - EDGE.right),
      shape("text", { class: "tick", x: EDGE.left, y: bottom + 16 }, first),
      shape("text", { class: "tick", x: width - EDGE.right, y: bottom + 16, "text-anchor": "end" }, last),
    ];
  };
}
