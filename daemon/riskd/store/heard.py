"""What sources said, laid over what they said before: kept where it differs, with what of that changes the past, and how."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from math import isclose, isfinite, nan

from sqlalchemy import Connection, insert

from riskd.core.quality.revision import TOLERANCE, Change, Revision, classify
from riskd.core.quote import Quote
from riskd.store.known import CLOSES, known_series, versions
from riskd.store.schema import price, series

ACTIONS = ("dividend", "split")  # 0: none
Answers = Mapping[tuple[str, str], Sequence[Quote]]  # by symbol and source
Standing = dict[tuple[str, date], tuple[int, float]]  # (field, session): version, value


def keep(connection: Connection, quotes: Iterable[Quote], asked: tuple[date, date] | None) -> Iterator[Change]:
    """See :meth:`riskd.store.prices.PriceStore.append`."""
    answers: dict[tuple[str, str], list[Quote]] = defaultdict(list)
    for quote in quotes:
        if isfinite(quote.value):
            answers[quote.symbol, quote.source].append(quote)
    ids = _ids(connection, answers)
    for of, answer in answers.items():
        before = _standing(connection, ids[of], answer)
        taken_back = _taken_back(before, answer, asked) if asked else []
        yield from _lay(connection, ids[of], before, (*answer, *taken_back))


def restated(connection: Connection, changes: Iterable[Change], first: date, last: date) -> Iterator[Revision]:
    """``changes`` that just became the past, each series' seen against what did not change, as the happenings they are."""
    ordered = sorted(changes, key=lambda c: (c.symbol, c.field, c.source))
    for of, group in groupby(ordered, key=lambda c: (c.symbol, c.field, c.source)):
        ids = [s.id for s in known_series(connection, of[:1]) if (s.symbol, s.field, s.source) == of]
        new = {r.session: r.value for r in versions(connection, ids, first, last)}
        before = {c.session: c.old for c in group}
        yield from classify(*of, tuple(new), [before.get(session, value) for session, value in new.items()], list(new.values()))


def _ids(connection: Connection, answers: Answers) -> dict[tuple[str, str], dict[str, int]]:
    """The number of each answer's series by field; new ones are entered."""
    symbols = {symbol for symbol, _ in answers}
    known = {(s.symbol, s.source, s.field) for s in known_series(connection, symbols)}
    new = {(q.symbol, q.source, q.field): None for answer in answers.values() for q in answer}.keys() - known
    if new:
        connection.execute(insert(series), [{"symbol": s, "source": o, "field": f} for s, o, f in sorted(new)])
    ids: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for s in known_series(connection, symbols):
        ids[s.symbol, s.source][s.field] = s.id
    return ids


def _standing(connection: Connection, ids: Mapping[str, int], answer: Sequence[Quote]) -> Standing:
    """What stands of the sessions that the answer spans."""
    first, last = min(q.session for q in answer), max(q.session for q in answer)
    fields = {id: field for field, id in ids.items()}
    return {(fields[r.series_id], r.session): (r.version, r.value) for r in versions(connection, list(fields), first, last)}


def _taken_back(before: Standing, answer: Sequence[Quote], asked: tuple[date, date]) -> list[Quote]:
    """Dividends and splits, as 0, that the answer no longer has of a session whose close it has."""
    told = {(q.field, q.session) for q in answer}
    return [
        replace(answer[-1], field=field, session=session, value=0.0)
        for (field, session), (_, value) in before.items()
        if field in ACTIONS and value and (field, session) not in told
        if asked[0] <= session <= asked[1] and any((close, session) in told for close in CLOSES)
    ]


def _lay(connection: Connection, ids: Mapping[str, int], before: Standing, quotes: Sequence[Quote]) -> list[Change]:
    standing, rows, changes = dict(before), [], []
    for q in quotes:
        version, old = standing.get((q.field, q.session), (-1, 0.0 if q.field in ACTIONS else nan))
        if q.value == old:
            continue
        standing[q.field, q.session] = version + 1, q.value
        rows.append((ids[q.field], q.session, version + 1, q.value, q.seen_at))
        if _differs(q, old, before):
            said_nothing = q.field in ACTIONS and not old
            changes.append(Change(q.symbol, q.session, q.field, q.source, nan if said_nothing else old, q.value))
    if rows:
        names = ("series_id", "session", "version", "value", "seen_at")
        connection.execute(insert(price), [dict(zip(names, row, strict=True)) for row in rows])
    return changes


def _differs(quote: Quote, old: float, before: Standing) -> bool:
    """Whether it may change a return that could be computed before: neither volume nor the last digits can."""
    if quote.field in ACTIONS and not old:
        return any((close, quote.session) in before for close in CLOSES)
    return quote.field in (*CLOSES, *ACTIONS) and old == old and not isclose(quote.value, old, rel_tol=TOLERANCE)
