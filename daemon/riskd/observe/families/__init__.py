"""Every metric family of a snapshot; a new subject is one file here and one line in ``FAMILIES``."""

from collections.abc import Iterator
from datetime import datetime

from riskd.observe.families.assets import asset_families
from riskd.observe.families.daemon import daemon_families
from riskd.observe.families.data import data_families
from riskd.observe.families.delivery import delivery_families
from riskd.observe.families.family import Families, Family
from riskd.observe.families.figures import figure_families
from riskd.observe.families.limits import limit_families
from riskd.observe.families.portfolios import portfolio_families
from riskd.observe.families.records import record_families
from riskd.observe.snapshot import Snapshot

FAMILIES: tuple[Families, ...] = (
    daemon_families,
    portfolio_families,
    data_families,
    figure_families,
    limit_families,
    asset_families,
    record_families,
    delivery_families,
)


def families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """All that is exported of ``snapshot`` at ``now``, which decides what has grown too old to be shown."""
    for subject in FAMILIES:
        yield from subject(snapshot, now)
