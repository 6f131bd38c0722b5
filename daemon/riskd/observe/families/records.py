"""How the forecasts held: exceptions against what was to be expected, PIT and CRPS."""

from collections.abc import Callable, Iterator
from datetime import datetime

from riskd.observe.families.family import Family, gauge, level_label, one_hot
from riskd.observe.record import BINS, SESSIONS, ZONES, Coverage
from riskd.observe.snapshot import Snapshot


def record_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """Records of every portfolio over its newest 250 sessions; they are facts of the past and never grow stale."""
    yield from _coverage_families(snapshot)
    records = snapshot.records
    newest = [((r.portfolio,), r.pit_newest) for r in records]
    text = "Share of the forecast that lost less than the newest session did."
    yield gauge("riskd_forecast_pit_ratio", text, ("portfolio",), newest)
    bins = [((r.portfolio, f"{(i + 1) / BINS:g}"), n) for r in records for i, n in enumerate(r.pit)]
    text = f"Sessions of the newest {SESSIONS} by the tenth that their PIT fell into; upper is its end."
    yield gauge("riskd_forecast_pit_sessions", text, ("portfolio", "upper"), bins)
    distance = [((r.portfolio,), r.pit_distance) for r in records]
    text = "Largest distance of the PIT from uniform (Kolmogorov-Smirnov)."
    yield gauge("riskd_forecast_pit_distance_ratio", text, ("portfolio",), distance)
    text = "How likely the PIT of a right forecast is at least as far from uniform."
    yield gauge("riskd_forecast_pit_p_ratio", text, ("portfolio",), [((r.portfolio,), r.pit_p) for r in records])
    means = [((r.portfolio, str(n)), mean) for r in records for n, mean in r.crps.items()]
    text = "Mean CRPS of the forecasts over so many sessions, as a fraction of value, lower is better."
    yield gauge("riskd_forecast_crps_ratio", text, ("portfolio", "sessions"), means)


def _coverage_families(snapshot: Snapshot) -> Iterator[Family]:
    """One-session VaR against what was lost, per level."""
    rows = [(r.portfolio, c) for r in snapshot.records for c in r.coverage]

    def family(name: str, text: str, number: Callable[[Coverage], float]) -> Family:
        return gauge(name, text, ("portfolio", "level"), [((p, level_label(c.level)), number(c)) for p, c in rows])

    text = f"Sessions held against the one-session VaR of the day before, {SESSIONS} at most."
    yield family("riskd_coverage_sessions", text, lambda c: c.sessions)
    yield family("riskd_coverage_exceedances", "Losses beyond VaR in those sessions.", lambda c: c.exceedances)
    text = "Sessions without a figure or without a loss; each counts as an exception."
    yield family("riskd_coverage_missing_sessions", text, lambda c: c.missing)
    yield family("riskd_coverage_exceptions", "Exceedances and missing sessions together.", lambda c: c.exceptions)
    bounds: list[tuple[str, Callable[[Coverage], int]]] = [
        ("least", lambda c: c.least),
        ("most", lambda c: c.most),
        ("yellow", lambda c: c.yellow),
        ("red", lambda c: c.red),
    ]
    expected = [((p, level_label(c.level), name), float(at(c))) for p, c in rows if c.sessions for name, at in bounds]
    text = "Exceptions of a right forecast: least and most of its 95 % band, and where Basel's yellow and red zones begin."
    yield gauge("riskd_coverage_exceptions_expected", text, ("portfolio", "level", "bound"), expected)
    zones = [s for p, c in rows for s in one_hot((p, level_label(c.level)), ZONES, c.zone)]
    text = "1 for Basel's zone of the exceptions, 0 for the others; unknown before 60 sessions."
    yield gauge("riskd_coverage_zone", text, ("portfolio", "level", "zone"), zones)
