// The frontier of expected return and CVaR, with where one stands and where one would.

import { el, shape } from "./dom.js";
import { known, percent, sessions, signed } from "./format.js";
import { linear } from "./scale.js";

const WIDTH = 340;
const HEIGHT = 170;
const EDGE = { left: 12, right: 12, top: 14, bottom: 26 };

const range = (values) => [Math.min(...values), Math.max(...values)];

// CVaR to the right, expected return upwards. points, now and then are {cvar, expected_return}; limit is a CVaR or null.
export function frontier({ points: all, now, then, limit, horizon, caption }) {
  const points = all.filter((p) => known(p.cvar) && known(p.expected_return)).sort((a, b) => a.cvar - b.cvar);
  if (points.length < 2) return null;
  const seen = [...points, now, ...(known(then?.cvar) ? [then] : [])];
  const [left, right] = range([...seen.map((p) => p.cvar), ...(known(limit) ? [limit] : [])]);
  const x = linear([left, right], [EDGE.left, WIDTH - EDGE.right]);
  const y = linear(range(seen.map((p) => p.expected_return)), [HEIGHT - EDGE.bottom, EDGE.top]);
  const line = points.map((p) => `${x(p.cvar).toFixed(1)},${y(p.expected_return).toFixed(1)}`).join(" ");
  const dot = (name, p) => shape("circle", { class: `dot-${name}`, cx: x(p.cvar).toFixed(1), cy: y(p.expected_return).toFixed(1), r: 5 });
  const told = [points[0], points.at(-1)];
  const label = `Frontier: CVaR ${told.map((p) => percent(p.cvar)).join(" to ")}, expected return ${told.map((p) => signed(p.expected_return, 2)).join(" to ")} over ${sessions(horizon)}`;
  const [low, high] = range(seen.map((p) => p.expected_return));
  return el(
    "figure",
    { class: "frontier" },
    shape(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
      known(limit) ? shape("line", { class: "mark mark-limit", x1: x(limit), x2: x(limit), y1: EDGE.top, y2: HEIGHT - EDGE.bottom }) : null,
      shape("polyline", { class: "frontier-line", points: line }),
      dot("now", now),
      known(then?.cvar) ? dot("then", then) : null,
      shape("text", { class: "tick", x: EDGE.left, y: HEIGHT - 8 }, percent(left, 1)),
      shape("text", { class: "tick", x: WIDTH - EDGE.right, y: HEIGHT - 8, "text-anchor": "end" }, `CVaR ${percent(right, 1)}`),
      shape("text", { class: "tick", x: EDGE.left, y: EDGE.top - 3 }, `return ${signed(high, 2)}`),
      shape("text", { class: "tick", x: WIDTH - EDGE.right, y: HEIGHT - EDGE.bottom - 4, "text-anchor": "end" }, signed(low, 2)),
    ),
    el("figcaption", {}, caption),
  );
}
