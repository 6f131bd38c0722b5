"""How long a scrape takes and how large it is, from one small portfolio to twenty that hold 100,000 names each."""

import argparse
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Contribution, Figure, LimitReport, PortfolioReport, Provenance, Rival, Status
from riskd.observe.board import Board
from riskd.observe.metrics import Metrics
from riskd.observe.record import day_of, record_of
from riskd.observe.snapshot import Delivery, Snapshot

NOW = datetime(2026, 11, 20, 22, tzinfo=UTC)
RIVALS = tuple(Rival(name, 0.02, 0.03) for name in ("gjr-fhs", "ewma-t", "historical", "garch-t-copula"))
FIGURE = Figure(0.95, 1, 0.02, 0.019, 0.021, 0.03, 0.029, 0.031, 0.0005, 0.0, RIVALS)


def report(name: str, assets: int) -> PortfolioReport:
    """Two levels and two horizons, one limit."""
    parts = tuple(Contribution(f"A{i}", 1 / assets, 0.03 / assets, 0.03) for i in range(assets))
    figures = tuple(replace(FIGURE, level=level, horizon=h) for level in (0.95, 0.99) for h in (1, 10))
    limit = LimitReport("cvar-95", 0.95, 1, 0.05, 0.03, 0.0, LimitState.CLEAR, None, parts)
    return PortfolioReport(
        name, date(2026, 11, 20), Status.OK, Grade.A, 1.0, figures, (limit,), 0.01, {c.symbol: c.weight for c in parts}, 0.0, 1e6,
        "USD", (), (), Provenance("lstm@1", "copula", "bank", "prices", "rules", 1000, "1"), pit=0.5, crps=0.01,
    )  # fmt: skip


def snapshot(portfolios: int, assets: int) -> Snapshot:
    """Every portfolio with a full record of 250 sessions."""
    reports = tuple(report(f"p{i}", assets) for i in range(portfolios))
    days = [replace(day_of(reports[0]), session=NOW.date() - timedelta(days=i)) for i in range(250, -1, -1)]
    return Snapshot(
        NOW, NOW, "1", "lstm@1", "cpu", "watching", reports, last_success_at=NOW, valid_until=NOW + timedelta(days=1),
        deliveries=(Delivery("mqtt", True, 1, 0, 0, 0.0),), records=tuple(record_of(r.portfolio, days) for r in reports),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    print(f"{'portfolios':>10} {'assets':>8} {'series':>7} {'kB':>7} {'median ms':>10} {'worst ms':>9}")
    for portfolios, assets in ((1, 20), (3, 20), (8, 50), (20, 500), (1, 100_000), (20, 100_000)):
        metrics = Metrics(Board(snapshot(portfolios, assets)), lambda: NOW)
        taken = []
        for _ in range(repeats):
            begun = time.perf_counter()
            text = metrics.render()[0]
            taken.append(1e3 * (time.perf_counter() - begun))
        series = sum(not line.startswith(b"#") for line in text.splitlines())
        middle = sorted(taken)[repeats // 2]
        print(f"{portfolios:>10} {assets:>8,} {series:>7,} {len(text) / 1e3:>7.0f} {middle:>10.1f} {max(taken):>9.1f}")


if __name__ == "__main__":
    main()
