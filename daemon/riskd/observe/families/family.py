"""A metric family as a value: what is exported and under which labels, before any library makes text of it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from riskd.observe.snapshot import Snapshot

Labels = tuple[str, ...]
Sample = tuple[Labels, float | None]


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name; every sample has a value for each of ``labels``. A counter's name goes without ``_total``."""

    name: str
    text: str
    labels: Labels
    samples: tuple[tuple[Labels, float], ...]
    counter: bool = False


Families = Callable[[Snapshot, datetime], Iterator[Family]]


def gauge(name: str, text: str, labels: Labels, samples: Sequence[Sample]) -> Family:
    """A gauge; a sample that is None or not finite is left out, for no comparison with NaN ever fires an alert."""
    return Family(name, text, labels, _finite(samples))


def counter(name: str, text: str, labels: Labels, samples: Sequence[Sample]) -> Family:
    """A counter."""
    return Family(name, text, labels, _finite(samples), counter=True)


def timestamp(name: str, text: str, moment: datetime | None) -> Family:
    """A gauge of one Unix time in seconds, or of none."""
    return gauge(name, text, (), [((), None if moment is None else moment.timestamp())])


def one_hot(labels: Labels, states: Sequence[str], present: str) -> list[Sample]:
    """One sample per possible state: 1 for the present one, 0 for the others."""
    return [((*labels, state), float(state == present)) for state in states]


def level_label(level: float) -> str:
    return f"{level:g}"


def _finite(samples: Sequence[Sample]) -> tuple[tuple[Labels, float], ...]:
    return tuple((labels, float(number)) for labels, number in samples if number is not None and math.isfinite(number))
