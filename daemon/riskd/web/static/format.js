// Fractions, times and counts as a reader expects them; the only place where a fraction becomes a percentage.

export const NONE = "–";
const THIN = "\u202f";

export const known = (value) => typeof value === "number" && Number.isFinite(value);

export function percent(fraction, digits = 2) {
  if (!known(fraction)) return NONE;
  const text = (fraction * 100).toFixed(digits).replace(/^-(?=0(\.0*)?$)/, "");
  return `${text.replace("-", "−")}${THIN}%`;
}

export function signed(fraction, digits = 1) {
  const text = percent(fraction, digits);
  return known(fraction) && fraction > 0 && !/^0(\.0*)?\u202f/.test(text) ? `+${text}` : text;
}

export function probability(value) {
  if (!known(value)) return NONE;
  if (value < 0.001) return `<${THIN}0.1${THIN}%`;
  if (value > 0.999) return `>${THIN}99.9${THIN}%`;
  return percent(value, 1);
}

export const level = (fraction) => percent(fraction, Number.isInteger(+(fraction * 100).toFixed(6)) ? 0 : 1);

export const sessions = (count) => (count === 1 ? "1 session" : `${count} sessions`);

export const grouped = (number) => number.toLocaleString("en").replaceAll(",", THIN);

export function moment(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

// Whole days from one session to another, in words; null where either is unknown.
export function since(from, to) {
  const days = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
  if (!Number.isFinite(days)) return null;
  return days < 1 ? "new" : days === 1 ? "1 day" : `${days} days`;
}
