// How large a loss is how likely: the scenarios of one horizon, with VaR, CVaR and the limit.

import { shape } from "./dom.js";
import { bottomAxis, marked } from "./drawing.js";
import { grouped, known, level, percent, sessions } from "./format.js";
import { linear, ticks } from "./scale.js";

const EDGE = { left: 6, right: 6, top: 4, bottom: 24 };
const ROOM = 0.8; // of the height for the bars; above it stand words

function bars(of, x, y, bottom, varAt) {
  const width = (of.high - of.low) / of.counts.length;
  return of.counts.map((count, i) => {
    const from = of.low + i * width;
    const beyond = known(varAt) && from + width / 2 > varAt;
    const left = x(from) + 0.5;
    return shape("rect", {
      class: beyond ? "bin bin-tail" : "bin",
      x: left,
      width: Math.max(0.5, x(from + width) - left - 0.5),
      y: y(count),
      height: bottom - y(count),
    });
  });
}

// of: the shape of one horizon; figure: VaR and CVaR there, or null; limit: one at the same level and horizon, or null.
export function drawHistogram(of, figure, limit) {
  return (width, height) => {
    const marks = [figure?.var, figure?.cvar, limit?.max_cvar].filter(known);
    const low = Math.min(of.low, ...marks);
    const high = Math.max(of.high, ...marks);
    const bottom = height - EDGE.bottom;
    const x = linear([low, high], [EDGE.left, width - EDGE.right]);
    const y = linear([0, Math.max(...of.counts, 1) / ROOM], [bottom, EDGE.top]);
    const told = [["var", "VaR", figure?.var], ["cvar", "CVaR", figure?.cvar], ["limit", "limit", limit?.max_cvar]];
    const lines = told.filter(([, , at]) => known(at)).map(([name, word, at]) => ({ name, at, text: `${word} ${percent(at)}` }));
    return [
      ...bottomAxis(ticks(low, high, width / 80), x, EDGE.top, bottom),
      ...bars(of, x, y, bottom, figure?.var),
      shape("line", { class: "axis", x1: EDGE.left, x2: width - EDGE.right, y1: bottom, y2: bottom }),
      ...marked(lines, x, EDGE.top, bottom),
    ];
  };
}

export function histogramWords(of, figure) {
  const total = of.counts.reduce((sum, count) => sum + count, of.below + of.above);
  const outside = of.below + of.above ? ` ${grouped(of.below)} gains and ${grouped(of.above)} losses lie outside, the largest loss is ${percent(of.worst)}.` : "";
  const figures = figure ? ` VaR ${level(figure.level)} ${percent(figure.var)}, CVaR ${percent(figure.cvar)}.` : "";
  return `Losses over ${sessions(of.horizon)} in ${grouped(total)} scenarios, gains to the left.${figures}${outside}`;
}
