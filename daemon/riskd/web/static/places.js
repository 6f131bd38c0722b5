// Where one is and where one can go: the views, and of one portfolio its own.

import { el } from "./dom.js";
import { bySeverity } from "./header.js";
import { address } from "./route.js";

const VIEWS = [["overview", "Overview"], ["model", "Model"], ["data", "Data"], ["alerts", "Alerts"], ["runs", "Runs"]];
const OF_ONE = ["portfolio", "what-if"];

const place = (text, href, here) => el("a", { href, "aria-current": here ? "page" : null }, text);

// A second look at the same place changes nothing: focus stays where it is.
function replaced(box, key, children) {
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...children());
}

function chooser(names, route) {
  const options = names.map((name) => el("option", { value: name, selected: name === route.name }, name));
  const select = el("select", { "aria-label": "Portfolio" }, ...options);
  select.addEventListener("change", () => {
    location.hash = address(route.view, select.value);
  });
  return select;
}

export function showPlaces(snapshot, route) {
  const here = OF_ONE.includes(route.view) ? "overview" : route.view;
  const main = document.getElementById("places");
  replaced(main, route.view, () => VIEWS.map(([view, text]) => place(text, address(view), view === here && !OF_ONE.includes(route.view))));
  const own = document.getElementById("own-places");
  const names = [...(snapshot?.reports ?? [])].sort(bySeverity).map((report) => report.portfolio);
  const within = OF_ONE.includes(route.view) || (route.view === "model" && names.length > 0);
  own.hidden = !within;
  if (!within) return;
  const chosen = { ...route, name: route.name ?? names[0] };
  const sorted = [...names].sort();
  replaced(own, JSON.stringify([chosen, sorted]), () => [
    chooser(sorted, chosen),
    place("Figures", address("portfolio", chosen.name), route.view === "portfolio"),
    place("What if", address("what-if", chosen.name), route.view === "what-if"),
    place("Model health", address("model", chosen.name), route.view === "model"),
  ]);
}
