"""The files of the page, read from the package once and known by name."""

from dataclasses import dataclass
from importlib.resources import files

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

NAMES = (
    "index.html",
    "app.css",
    "parts.css",
    "ahead.js",
    "alerts.js",
    "allocation.js",
    "answer.js",
    "app.js",
    "badge.js",
    "breaches.js",
    "chart.js",
    "components.js",
    "contest.js",
    "data.js",
    "dom.js",
    "drawing.js",
    "drift.js",
    "evidence.js",
    "fan.js",
    "format.js",
    "frontier.js",
    "header.js",
    "histogram.js",
    "history.js",
    "hold.js",
    "limits.js",
    "link.js",
    "model.js",
    "moved.js",
    "overview.js",
    "panel.js",
    "pit.js",
    "places.js",
    "portfolio.js",
    "proposal.js",
    "quarantine.js",
    "question.js",
    "route.js",
    "row.js",
    "runs.js",
    "say.js",
    "scale.js",
    "series.js",
    "systems.js",
    "table.js",
    "timeline.js",
    "token.js",
    "weights.js",
    "what_if.js",
    "favicon.svg",
    "vendor/uPlot.iife.min.js",
    "vendor/uPlot.min.css",
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: bytes
    media_type: str


def assets() -> dict[str, Asset]:
    """Every file of the page by its name under ``static/``; a name that is not a key does not exist, whatever it spells."""
    folder = files("riskd.web") / "static"
    return {name: Asset((folder / name).read_bytes(), MEDIA_TYPES[name.rsplit(".", 1)[1]]) for name in NAMES}
