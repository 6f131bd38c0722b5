"""Weights and components of CVaR by asset: the twenty that weigh most, and the rest as one."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from riskd.core.events import Proposal
from riskd.core.report import LimitReport, PortfolioReport
from riskd.observe.families.family import Family, Sample, gauge
from riskd.observe.freshness import figures_at
from riskd.observe.snapshot import Snapshot

MOST_ASSETS = 20  # of a portfolio; a large one must not flood Prometheus
REST = "(other)"  # no symbol has brackets


def asset_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """Held and proposed weights, and what each asset adds to the CVaR of every limit."""
    weights: list[Sample] = []
    components: list[Sample] = []
    for report in snapshot.reports:
        proposed = _proposed(snapshot, report)
        shown = _largest(report, proposed)
        name = report.portfolio
        weights += [((name, asset, "held"), w) for asset, w in _folded(report.weights, shown).items()]
        weights += [((name, asset, "proposed"), w) for asset, w in _folded(proposed, shown).items()]
        for limit in report.limits if figures_at(snapshot, report, now) else ():
            parts = {c.symbol: c.component_cvar for c in limit.contributions}
            components += [((name, limit.name, asset), c) for asset, c in _folded(parts, _top(limit)).items()]
    text = "Weight of an asset as a fraction of portfolio value; the rest is cash."
    yield gauge("riskd_asset_weight_ratio", text, ("portfolio", "asset", "kind"), weights)
    text = "What an asset adds to the CVaR of a limit; the components sum to the CVaR."
    yield gauge("riskd_asset_component_cvar_ratio", text, ("portfolio", "limit", "asset"), components)


def _proposed(snapshot: Snapshot, report: PortfolioReport) -> Mapping[str, float]:
    """Weights proposed for the report's own session; none if there is no such proposal."""

    def stands(proposal: Proposal) -> bool:
        same = (proposal.portfolio, proposal.session) == (report.portfolio, report.session)
        return same and proposal.status == "proposed"

    return next((p.weights for p in snapshot.proposals if stands(p)), {})


def _largest(report: PortfolioReport, proposed: Mapping[str, float]) -> set[str]:
    """The assets with the largest component of CVaR under any limit, then those with the largest weight."""
    component = {c.symbol: 0.0 for limit in report.limits for c in limit.contributions}
    for limit in report.limits:
        for c in limit.contributions:
            component[c.symbol] = max(component[c.symbol], c.component_cvar)

    def rank(asset: str) -> tuple[float, float, str]:
        weight = max(abs(report.weights.get(asset, 0.0)), abs(proposed.get(asset, 0.0)))
        return -component.get(asset, 0.0), -weight, asset

    return set(sorted({*report.weights, *proposed}, key=rank)[:MOST_ASSETS])


def _top(limit: LimitReport) -> set[str]:
    """Contributions come largest first."""
    return {c.symbol for c in limit.contributions[:MOST_ASSETS]}


def _folded(amounts: Mapping[str, float], shown: set[str]) -> dict[str, float]:
    """``amounts`` of what is shown, and the sum of the others if there are any."""
    rest = [amount for asset, amount in amounts.items() if asset not in shown]
    folded = {asset: amount for asset, amount in amounts.items() if asset in shown}
    return folded | ({REST: sum(rest)} if rest else {})
