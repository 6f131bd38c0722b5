"""How far prices can be trusted: by portfolio, by what is wrong with them, and by source."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from riskd.core.grade import Grade
from riskd.core.quality.doubt import Rule
from riskd.observe.families.family import Family, gauge, one_hot
from riskd.observe.snapshot import Snapshot


def data_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """Grades, coverage, doubts and feeds."""
    reports = snapshot.reports
    grades = [s for r in reports for s in one_hot((r.portfolio,), [g.value for g in Grade], r.grade.value)]
    text = "1 for the grade of the portfolio's prices, 0 for the others."
    yield gauge("riskd_portfolio_data_grade", text, ("portfolio", "grade"), grades)
    coverage = [((r.portfolio,), r.coverage) for r in reports]
    text = "Share of what is held, by weight, whose newest price is usable."
    yield gauge("riskd_portfolio_data_coverage_ratio", text, ("portfolio",), coverage)
    doubts = {(d.symbol, d.session): d.rule for r in reports for d in r.doubts}
    counts = [((rule.value,), float(sum(d is rule for d in doubts.values()))) for rule in Rule]
    yield gauge("riskd_prices_in_doubt", "Prices of what is held that are not used, by reason.", ("rule",), counts)
    names = dict.fromkeys((*snapshot.sources, *sorted(snapshot.feeds)))
    feeds = [((name,), float(snapshot.feeds.get(name) != "failing")) for name in names]
    yield gauge("riskd_feed_up", "0 while a source of prices does not answer, else 1.", ("feed",), feeds)
    ends = [((name,), datetime.combine(end, time(), UTC).timestamp()) for name, end in snapshot.calendar_ends.items()]
    text = "Last day that the installed calendar of an exchange knows; absent where it has no end."
    yield gauge("riskd_calendar_end_timestamp_seconds", text, ("exchange",), ends)
