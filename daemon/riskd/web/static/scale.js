// From values to places on a drawing, and the round values to name on its axis.

export function linear([low, high], [from, to]) {
  const ratio = (to - from) / (high - low || 1);
  return (value) => from + (value - low) * ratio;
}

// At most about count round values from low to high: 1, 2 or 5 times a power of ten apart.
export function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

// Digits behind the point that tell neighbouring ticks apart, as percentages.
export function digitsOf(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) * 100 : 1;
  return Math.max(0, Math.min(4, -Math.floor(Math.log10(step) + 1e-9)));
}
