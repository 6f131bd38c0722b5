// History rows as chart columns, every forecast over the session it was made for.

import { known } from "./format.js";

// The figure a chart follows: that of the first one-session limit, else 95 % over one session.
export function chosen(report) {
  const limit = report.limits.find((l) => l.horizon === 1);
  return limit ? { level: limit.level, limit: limit.name } : { level: 0.95, limit: null };
}

function forecast(row, choice) {
  const figure = row.figures.find((f) => f.level === choice.level && f.horizon === 1);
  const limit = row.limits.find((l) => l.name === choice.limit && l.level === choice.level && l.horizon === 1);
  return {
    var: known(figure?.var) ? figure.var : null,
    cvar: known(figure?.cvar) ? figure.cvar : null,
    limit: known(limit?.max_cvar) ? limit.max_cvar : null,
  };
}

// rows: reports, oldest first. The report of session t forecasts t + 1, so its figure stands one column further right
// than its realised loss; the last column is the session that has not happened yet.
export function aligned(rows, choice) {
  const none = { var: null, cvar: null, limit: null };
  const ahead = [none, ...rows.map((row) => forecast(row, choice))];
  const loss = [...rows.map((row) => (known(row.realised_loss) ? row.realised_loss : null)), null];
  const judged = loss.map((l, i) => l !== null && ahead[i].var !== null);
  const exceedance = loss.map((l, i) => (judged[i] && l > ahead[i].var ? l : null));
  return {
    sessions: [...rows.map((row) => row.session), "next"],
    loss,
    var: ahead.map((f) => f.var),
    cvar: ahead.map((f) => f.cvar),
    limit: ahead.map((f) => f.limit),
    exceedance,
    judged: judged.filter(Boolean).length,
    exceeded: exceedance.filter((l) => l !== null).length,
  };
}

// Two stretches of history as one, newer rows winning; null when a session may be missing between them.
export function merged(older, newer, most) {
  if (older.length === 0 || newer.length === 0) return null;
  if (newer[0].session > older.at(-1).session) return null;
  return [...older.filter((row) => row.session < newer[0].session), ...newer].slice(-most);
}
