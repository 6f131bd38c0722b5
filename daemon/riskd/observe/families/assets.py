"""Weights and components of CVaR by asset: the twenty that weigh most, and the rest as one."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from heapq import nlargest

from riskd.core.proposed import Proposal
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
            components += [((name, limit.name, asset), c) for asset, c in _parts(limit).items()]
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


def _largest(report: PortfolioReport, proposed: Mapping[str, float]) -> tuple[str, ...]:
    """The assets with the largest component of CVaR under any limit, then those with the largest weight.

    Contributions come largest first: no asset but the first of each limit, and the heaviest, can be among them.
    """
    component: dict[str, float] = {}
    for c in (c for limit in report.limits for c in limit.contributions[:MOST_ASSETS]):
        component[c.symbol] = max(component.get(c.symbol, 0.0), c.component_cvar)

    def weight(asset: str) -> float:
        return max(abs(report.weights.get(asset, 0.0)), abs(proposed.get(asset, 0.0)))

    heavy = nlargest(MOST_ASSETS, {**report.weights, **proposed}, key=weight)
    return tuple(sorted({*component, *heavy}, key=lambda a: (-component.get(a, 0.0), -weight(a), a))[:MOST_ASSETS])


def _parts(limit: LimitReport) -> dict[str, float]:
    """Components of the first contributions, and the sum of the others."""
    first, others = limit.contributions[:MOST_ASSETS], limit.contributions[MOST_ASSETS:]
    parts = {c.symbol: c.component_cvar for c in first}
    return parts | ({REST: sum(c.component_cvar for c in others)} if others else {})


def _folded(amounts: Mapping[str, float], shown: tuple[str, ...]) -> dict[str, float]:
    """``amounts`` of what is shown, and the sum of the others if there are any."""
    folded = {asset: amounts[asset] for asset in shown if asset in amounts}
    others = len(amounts) > len(folded)
    return folded | ({REST: sum(amounts.values()) - sum(folded.values())} if others else {})
