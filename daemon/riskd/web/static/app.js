// The page: shows the view that the address names, reads the status when it changed, goes grey when it cannot be believed.

import { showAge, showHeader, staleness } from "./header.js";
import { Link, paced } from "./link.js";
import { showPlaces } from "./places.js";
import { parsed } from "./route.js";

const REFRESH_MS = 500;
const VIEWS = {
  overview: () => import("./overview.js"),
  portfolio: () => import("./portfolio.js"),
  "what-if": () => import("./what_if.js"),
  model: () => import("./model.js"),
  data: () => import("./data.js"),
  alerts: () => import("./alerts.js"),
  runs: () => import("./runs.js"),
};

const main = document.getElementById("view");
let snapshot = null;
let shown = null; // {route, view}
let turn = 0; // of the newest navigation: a slower one that ends later is dropped

async function navigate(byHand) {
  const own = ++turn;
  const route = parsed(location.hash);
  const { View } = await VIEWS[route.view]();
  if (own !== turn) return;
  shown?.view.close();
  shown = { route, view: new View(link, route.name) };
  main.dataset.view = route.view;
  main.replaceChildren(shown.view.element);
  if (byHand) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  update();
}

function update() {
  if (snapshot && shown) shown.view.update(snapshot);
  showPlaces(snapshot, shown?.route ?? parsed(location.hash));
  tick();
}

async function refresh() {
  try {
    snapshot = await link.json("api/v1/status");
    showHeader(snapshot);
    update();
  } catch (error) {
    console.warn(`status: ${error.message}`); // silence turns the page grey; the pulse asks again
    tick();
  }
}

function tick() {
  const stale = staleness(snapshot, link);
  showAge(snapshot, stale, link.now(), shown?.view.title);
  shown?.view.setFresh?.(!stale);
}

const link = new Link(paced(refresh, REFRESH_MS));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash names views
  main.focus();
});
addEventListener("hashchange", () => navigate(true));
navigate(false);
link.start();
setInterval(tick, 1000);
