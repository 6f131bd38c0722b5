// The page: reads the status when the daemon says it changed, and goes grey by itself when it cannot be believed.

import { showAlerts } from "./alerts.js";
import { Card } from "./card.js";
import { SEVERITY, showAge, showHeader, staleness } from "./header.js";
import { Link, paced } from "./link.js";
import { showPrices } from "./prices.js";

const FEW = 4; // up to this many cards are all open; of more, only the worst
const REFRESH_MS = 500;
const LAST_ALERTS = 20;
const LAST_REVISIONS = 5;

const portfolios = document.getElementById("portfolios");
const empty = document.getElementById("empty");
const cards = new Map();
let snapshot = null;

function bySeverity(a, b) {
  return SEVERITY.indexOf(a.status) - SEVERITY.indexOf(b.status) || a.portfolio.localeCompare(b.portfolio);
}

function openAtFirst(reports, place) {
  return reports.length <= FEW || (place < FEW && reports[place].status === "BREACH") || place === 0;
}

function showCards(reports, proposals) {
  const newest = new Map(proposals.map((p) => [p.portfolio, p]));
  reports.forEach((report, place) => {
    if (!cards.has(report.portfolio)) {
      cards.set(report.portfolio, new Card(report.portfolio, link, openAtFirst(reports, place)));
      portfolios.append(cards.get(report.portfolio).element);
    }
  });
  arrange(reports.map((report) => cards.get(report.portfolio).element));
  for (const report of reports) cards.get(report.portfolio).update(report, newest.get(report.portfolio) ?? null);
  dropMissing(new Set(reports.map((report) => report.portfolio)));
}

// Elements are moved only when the order changed: a move takes the keyboard focus away.
function arrange(elements) {
  const present = [...portfolios.querySelectorAll(":scope > .card")].filter((card) => elements.includes(card));
  if (elements.some((element, i) => element !== present[i])) portfolios.append(...elements);
}

function dropMissing(names) {
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.close();
    cards.delete(name);
  }
}

async function refresh() {
  try {
    const [status, alerts, held, revisions] = await Promise.all([
      link.json("api/v1/status"),
      link.json(`api/v1/alerts?last=${LAST_ALERTS}`),
      link.json("api/v1/data/quarantine"),
      link.json(`api/v1/data/revisions?last=${LAST_REVISIONS}`),
    ]);
    snapshot = status;
    showHeader(status);
    showCards([...status.reports].sort(bySeverity), status.proposals);
    showAlerts(document.getElementById("alerts"), alerts);
    showPrices(status.feeds, held, revisions);
    empty.hidden = status.reports.length > 0;
    empty.textContent = `No figures yet: riskd is ${status.phase}. They appear here when the first session has been computed.`;
  } catch (error) {
    console.warn(`status: ${error.message}`); // silence turns the page grey; the pulse asks again
  }
  tick();
}

function tick() {
  const stale = staleness(snapshot, link);
  showAge(snapshot, stale, link.now());
  for (const card of cards.values()) card.setFresh(!stale);
}

const link = new Link(paced(refresh, REFRESH_MS));
link.start();
setInterval(tick, 1000);
