// Which view an address names: what stands behind the hash, and the way back to a hash.

const PLAIN = ["model", "data", "alerts", "runs"];

// {view, name}: name is a portfolio's or null. What is not known is the overview.
export function parsed(hash) {
  const [first, second, third] = hash.replace(/^#?\/?/, "").split("/").map(decoded);
  if (first === "p" && second) return { view: third === "what-if" ? "what-if" : "portfolio", name: second };
  if (PLAIN.includes(first)) return { view: first, name: second || null };
  return { view: "overview", name: null };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return ""; // a stray percent sign names nothing
  }
}

export function address(view, name = null) {
  const own = name === null ? "" : encodeURIComponent(name);
  if (view === "portfolio") return `#/p/${own}`;
  if (view === "what-if") return `#/p/${own}/what-if`;
  if (view === "overview") return "#/";
  return own ? `#/${view}/${own}` : `#/${view}`;
}
