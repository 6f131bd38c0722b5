// How losses spread with the horizon: quantiles of the scenarios at every horizon that is simulated.

import { shape } from "./dom.js";
import { leftAxis } from "./drawing.js";
import { level, percent, sessions } from "./format.js";
import { linear, ticks } from "./scale.js";

const EDGE = { left: 52, right: 12, top: 10, bottom: 24 };

// ahead: {levels, horizons: [{horizon, quantiles}]}; today everything is worth what it is worth.
function columns(ahead) {
  return [{ horizon: 0, quantiles: ahead.levels.map(() => 0) }, ...ahead.horizons];
}

function band(at, x, y, inner, outer) {
  const forth = at.map((c) => `${x(c.horizon).toFixed(1)},${y(c.quantiles[outer]).toFixed(1)}`);
  const back = [...at].reverse().map((c) => `${x(c.horizon).toFixed(1)},${y(c.quantiles[inner]).toFixed(1)}`);
  return [...forth, ...back].join(" ");
}

export function drawFan(ahead, figures) {
  return (width, height) => {
    const at = columns(ahead);
    const seen = [...at.flatMap((c) => c.quantiles), ...figures.map((f) => f.cvar)];
    const [low, high] = [Math.min(...seen), Math.max(...seen)];
    const bottom = height - EDGE.bottom;
    const x = linear([0, at.at(-1).horizon], [EDGE.left, width - EDGE.right]);
    const y = linear([low, high], [bottom, EDGE.top]);
    const middle = Math.floor(ahead.levels.length / 2);
    const bands = Array.from({ length: middle }, (_, i) =>
      shape("polygon", { class: `fan fan-${i}`, points: band(at, x, y, i, ahead.levels.length - 1 - i) }),
    );
    const median = at.map((c) => `${x(c.horizon).toFixed(1)},${y(c.quantiles[middle]).toFixed(1)}`).join(" ");
    const points = figures.map((f) => shape("circle", { class: "fan-cvar", cx: x(f.horizon), cy: y(f.cvar), r: 4 }));
    const names = at.map((c) => shape("text", { class: "tick", x: x(c.horizon), y: bottom + 16, "text-anchor": c === at.at(-1) ? "end" : "middle" }, c.horizon || "today"));
    const cuts = at.slice(1).map((c) => shape("line", { class: "grid", x1: x(c.horizon), x2: x(c.horizon), y1: EDGE.top, y2: bottom }));
    const crowded = at.length > 2 && x(at[1].horizon) - x(0) < 44;
    return [
      ...leftAxis(ticks(low, high, 5), y, EDGE.left, width - EDGE.right),
      ...bands,
      ...cuts,
      shape("line", { class: "axis", x1: EDGE.left, x2: width - EDGE.right, y1: y(0), y2: y(0) }),
      shape("polyline", { class: "fan-median", points: median }),
      ...points,
      ...(crowded ? names.filter((_, i) => i !== 1) : names),
    ];
  };
}

export function fanWords(ahead) {
  const told = ahead.levels.map((l) => level(l));
  const last = ahead.horizons.at(-1);
  const worst = percent(last.quantiles.at(-1), 1);
  return `Losses at ${told.join(", ")} of the scenarios, after ${ahead.horizons.map((h) => sessions(h.horizon)).join(", ")}; gains below zero. After ${sessions(last.horizon)} one loss in a hundred is beyond ${worst}.`;
}
