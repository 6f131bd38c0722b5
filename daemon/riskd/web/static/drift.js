// Whether forecasts got worse: the score of each session and its mean over twenty.

import { shape } from "./dom.js";
import { leftAxis } from "./drawing.js";
import { linear, ticks } from "./scale.js";

const EDGE = { left: 52, right: 10, top: 10, bottom: 22 };
const RECENT = 20;

// Trailing means of values over RECENT; null before there are so many.
export function trailing(values, count = RECENT) {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (i >= count ? values[i - count] : 0);
    return i + 1 >= count ? sum / count : null;
  });
}

// scores: [[session, CRPS]], oldest first
export function drawDrift(scores) {
  return (width, height) => {
    const values = scores.map(([, value]) => value);
    const bottom = height - EDGE.bottom;
    const x = linear([0, Math.max(1, values.length - 1)], [EDGE.left, width - EDGE.right]);
    const high = Math.max(...values, 1e-9);
    const y = linear([0, high], [bottom, EDGE.top]);
    const points = trailing(values).flatMap((mean, i) => (mean === null ? [] : [`${x(i).toFixed(1)},${y(mean).toFixed(1)}`]));
    return [
      ...leftAxis(ticks(0, high, 4), y, EDGE.left, width - EDGE.right),
      ...values.map((value, i) => shape("line", { class: "stick", x1: x(i), x2: x(i), y1: bottom, y2: y(value) })),
      points.length > 1 ? shape("polyline", { class: "line line-champion", points: points.join(" ") }) : "",
      shape("text", { class: "tick", x: EDGE.left, y: bottom + 16 }, scores[0][0]),
      shape("text", { class: "tick", x: width - EDGE.right, y: bottom + 16, "text-anchor": "end" }, scores.at(-1)[0]),
    ];
  };
}
