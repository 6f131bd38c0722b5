// VaR and CVaR over time against the losses that followed, drawn by uPlot.

/* global uPlot */
import { el } from "./dom.js";
import { NONE, level, percent } from "./format.js";
import { aligned, chosen } from "./series.js";

const COLUMNS = ["loss", "limit", "var", "cvar", "exceedance"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const ink = (name) => () => colour(name);

// On a phone a year of sessions would be one pixel each.
export const sessionsFor = (width) => (width < 380 ? 125 : 250);

function diamonds(u, seriesIndex) {
  const path = new Path2D();
  const size = 4 * devicePixelRatio;
  u.data[seriesIndex].forEach((value, i) => {
    if (value === null) return;
    const x = u.valToPos(i, "x", true);
    const y = u.valToPos(value, "y", true);
    path.moveTo(x, y - size);
    for (const [dx, dy] of [[size, 0], [0, size], [-size, 0]]) path.lineTo(x + dx, y + dy);
    path.closePath();
  });
  return { stroke: path, fill: path };
}

function series() {
  const line = { points: { show: false } };
  return [
    {},
    { ...line, stroke: ink("loss"), fill: ink("loss"), width: 0, paths: uPlot.paths.bars({ size: [0.7, 14] }) },
    { ...line, stroke: ink("limit"), width: 1.5, dash: [6, 4] },
    { ...line, stroke: ink("var"), width: 1.5 },
    { ...line, stroke: ink("cvar"), width: 2 },
    { ...line, stroke: ink("exceedance"), fill: ink("exceedance"), width: 1, paths: diamonds },
  ];
}

function axes(label) {
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const look = { stroke: ink("quiet"), grid: { stroke: ink("grid"), width: 1 }, ticks: { show: false }, font };
  return [
    { ...look, size: 26, space: 90, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 40, 60, 120, 250, 500], values: (u, at) => at.map(label) },
    { ...look, size: 52, space: 34, values: (u, at) => at.map((value) => percent(value, 1)) },
  ];
}

export class Chart {
  #plot = null;
  #data = null;
  #choice = null;
  #box = el("div", { class: "chart-box", role: "img" });
  #legend = el("dl", { class: "legend" });
  #caption = el("figcaption", {}, "No history yet.");
  #resized = new ResizeObserver(() => this.#fit());
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #repaint = () => this.#plot?.redraw(false);

  constructor() {
    this.element = el("figure", { class: "chart chart-empty" }, this.#legend, this.#box, this.#caption);
    this.#resized.observe(this.#box);
    this.#scheme.addEventListener("change", this.#repaint);
  }

  get width() {
    return this.element.clientWidth;
  }

  show(rows) {
    if (rows.length === 0) return;
    this.#choice = chosen(rows.at(-1));
    this.#data = aligned(rows, this.#choice);
    const drawable = [...this.#data.var, ...this.#data.loss].some((value) => value !== null);
    this.element.classList.toggle("chart-empty", !drawable);
    if (!drawable) {
      this.#caption.textContent = "No figure and no loss in the history of this portfolio.";
      return;
    }
    this.#say();
    this.#draw();
    this.#read(null);
  }

  close() {
    this.#resized.disconnect();
    this.#scheme.removeEventListener("change", this.#repaint);
    this.#plot?.destroy();
  }

  #draw() {
    const columns = [this.#data.sessions.map((_, i) => i), ...COLUMNS.map((name) => this.#data[name])];
    if (this.#plot) this.#plot.setData(columns);
    else if (this.width > 0) this.#plot = new uPlot(this.#options(), columns, this.#box);
  }

  get #size() {
    return { width: this.#box.clientWidth, height: this.#box.clientHeight };
  }

  #options() {
    return {
      ...this.#size,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { time: false, range: (u, low, high) => [low - 0.7, high + 0.7] } },
      series: series(),
      axes: axes((i) => this.#data.sessions[i] ?? ""),
      hooks: { setCursor: [(u) => this.#read(u.cursor.idx)] },
    };
  }

  #fit() {
    if (!this.#data || this.width === 0) return; // nothing to draw, or folded away
    if (this.#plot) this.#plot.setSize(this.#size);
    else this.#draw();
  }

  // The values under the cursor; without one, the forecast for the coming session.
  #read(index) {
    const i = index ?? this.#data.sessions.length - 1;
    const at = level(this.#choice.level);
    const entry = (name, term) => {
      const value = this.#data[name][i];
      return el("div", { "data-series": name }, el("dt", {}, term), el("dd", {}, value === null ? NONE : percent(value)));
    };
    const session = this.#data.sessions[i] === "next" ? "next" : this.#data.sessions[i];
    this.#legend.replaceChildren(
      el("div", { class: "legend-session" }, el("dt", {}, session)),
      entry("cvar", `CVaR ${at}`),
      entry("var", `VaR ${at}`),
      ...(this.#choice.limit ? [entry("limit", "limit")] : []),
      entry("loss", "loss"),
    );
  }

  #say() {
    const { judged, exceeded } = this.#data;
    const expected = ((1 - this.#choice.level) * judged).toFixed(1);
    const count = `${exceeded} of ${judged} losses exceeded their VaR (diamonds); ${expected} expected at ${level(this.#choice.level)}.`;
    const how = "Each forecast stands over the session it was made for: what was computed after one session is held against the loss of the next.";
    this.#caption.textContent = `${count} ${how}`;
    this.#box.setAttribute("aria-label", `Chart of VaR and CVaR against realised losses. ${count}`);
  }
}
