"""What the fold remembers between sessions, and the same as bytes."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats, frozen, none_known
from riskd.core.forecaster import MarketState
from riskd.core.glance import Glance
from riskd.core.limits import Acknowledgement, Basis, Heard, LimitState, Silence, Standing
from riskd.core.portfolio import Limit
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.report import Freeze

LimitKey = tuple[str, str]  # portfolio, limit
FORMAT = 5  # of the bytes; an older state gives its standings and nothing else


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """The market before return ``row`` (counted from the first ever folded) was taken in: from here it can be taken again.

    ``lanes`` are the markets of the rivals.
    """

    row: int
    market: MarketState
    fits: Floats
    lanes: tuple[MarketState, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What is remembered for one lane: its own market and scores (sessions, columns).

    ``fault`` says why its model could not take the newest session: the market is that of the session before, the scores are NaN.
    A market without arrays is that of a model which failed in the warm-up.
    """

    market: MarketState
    scores: Floats
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Eve:
    """What held at the end of the session before: a session that is judged again starts from here."""

    standings: Mapping[LimitKey, Standing] = field(default_factory=dict)
    out: Mapping[str, int] = field(default_factory=dict)
    glance: Glance | None = None


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """``basis`` names the rules it was built under; ``session`` is the newest one taken.

    ``scores`` (sessions, symbols + portfolios) and ``log_returns`` (sessions, symbols), oldest first, end at ``session``; NaN
    where no price could be used. Of both one session more is kept than a figure rests on: what the eve had is still there.
    ``days`` (sessions,) are the ordinals of the dates of the scores.
    ``fits`` (symbols + portfolios, 7) are the GARCH parameters in force. ``rows`` counts the returns ever folded, ``recent`` are
    the sessions of the newest. ``out`` counts for how many sessions a symbol has had no usable price. ``vintage`` is a running
    hash of every return and correction: the prices this state rests on.
    ``closes`` (symbols,) are the newest usable ones in currency units, NaN where none is known, empty before the first session.
    """

    basis: str
    session: date
    rows: int
    recent: tuple[date, ...]
    anchors: tuple[Anchor, ...]
    market: MarketState
    scores: Floats
    log_returns: Floats
    fits: Floats
    days: NDArray[np.int32]
    vintage: str = ""
    told: int = 0  # how far the ledger of revisions has been told
    sources: tuple[str, ...] = ()
    out: Mapping[str, int] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    standings: Mapping[LimitKey, Standing] = field(default_factory=dict)
    eve: Eve = Eve()
    feeds: Mapping[str, str] = field(default_factory=dict)  # feed -> the last thing told of it
    sinks: Mapping[str, str] = field(default_factory=dict)  # sink that was told to be failing -> since when
    given_up: Mapping[str, int] = field(default_factory=dict)  # sink -> the newest of its parked events that was told
    proposals: Mapping[str, Floats] = field(default_factory=dict)  # portfolio -> weights of the standing proposal
    answers: Mapping[str, str] = field(default_factory=dict)  # portfolio -> what the last allocation of this episode ended in
    lanes: tuple[Stream, ...] = ()  # in the order of the rules
    closes: Floats = field(default_factory=none_known)
    glance: Glance | None = None
    frozen: Mapping[str, Freeze] = field(default_factory=dict)  # portfolio -> who wants no allocation of it


def pack(state: State) -> bytes:
    """The state as an npz archive without pickles; equal states give equal bytes."""
    head = {
        "format": FORMAT,
        "basis": state.basis,
        "session": state.session.isoformat(),
        "rows": state.rows,
        "recent": [s.isoformat() for s in state.recent],
        "anchors": [a.row for a in state.anchors],
        "vintage": state.vintage,
        "told": state.told,
        "sources": list(state.sources),
        "out": dict(state.out),
        "doubts": [_row(d) for d in state.doubts],
        "standings": _written(state.standings),
        "eve": [_written(state.eve.standings), dict(state.eve.out)],
        "glances": [_seen(state.glance), _seen(state.eve.glance)],
        "feeds": dict(state.feeds),
        "proposals": sorted(state.proposals),
        "answers": dict(state.answers),
        **_seldom(state),
    }
    arrays = {
        "head": np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8),
        "scores": state.scores,
        "log_returns": state.log_returns,
        "fits": state.fits,
        "closes": state.closes,
        "days": state.days,
        **_glances(state),
        **_named("market", state.market),
        **{f"fits{a.row}": a.fits for a in state.anchors},
        **{name: array for a in state.anchors for name, array in _named(f"anchor{a.row}", a.market).items()},
        **{f"proposal/{name}": state.proposals[name] for name in sorted(state.proposals)},
        **_of_lanes(state),
    }
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def _seldom(state: State) -> dict[str, object]:
    """What most states have nothing of, and then do not mention."""
    frozen = {name: asdict(freeze) for name, freeze in state.frozen.items()}
    lanes = [stream.fault for stream in state.lanes]
    sinks = [dict(state.sinks), dict(state.given_up)] if state.sinks or state.given_up else []
    return {name: value for name, value in (("frozen", frozen), ("lanes", lanes), ("sinks", sinks)) if value}


def unpack(content: bytes) -> State:
    """The inverse of :func:`pack`; of an older format only what must not be lost, the open episodes, under no basis.

    Raises ValueError or KeyError on anything else.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        head = json.loads(arrays["head"].tobytes())
        session, standings = date.fromisoformat(head["session"]), _read(head["standings"])
        if head.get("format") != FORMAT:
            return _forgotten(session, standings)
        sinks, given_up = head.get("sinks", ({}, {}))
        return State(
            basis=head["basis"],
            session=session,
            rows=head["rows"],
            recent=tuple(date.fromisoformat(s) for s in head["recent"]),
            anchors=tuple(_anchor(arrays, row, len(head.get("lanes", ()))) for row in head["anchors"]),
            market=_market(arrays, "market"),
            scores=frozen(arrays["scores"]),
            log_returns=frozen(arrays["log_returns"]),
            fits=frozen(arrays["fits"]),
            closes=frozen(arrays["closes"]),
            days=arrays["days"],
            vintage=head["vintage"],
            told=head["told"],
            sources=tuple(head["sources"]),
            out=head["out"],
            doubts=tuple(_doubt(*row) for row in head["doubts"]),
            standings=standings,
            eve=Eve(_read(head["eve"][0]), head["eve"][1], _glance(head["glances"][1], arrays, "eve-covariance")),
            feeds=head["feeds"],
            sinks=sinks,
            given_up=given_up,
            proposals={name: frozen(arrays[f"proposal/{name}"]) for name in head["proposals"]},
            answers=head["answers"],
            lanes=tuple(_stream(arrays, i, fault) for i, fault in enumerate(head.get("lanes", ()))),
            glance=_glance(head["glances"][0], arrays, "covariance"),
            frozen={name: Freeze(**said) for name, said in head.get("frozen", {}).items()},
        )


def _forgotten(session: date, standings: Mapping[LimitKey, Standing]) -> State:
    """A state that knows nothing but its limits' standings."""
    nothing = frozen([])
    return State("", session, 0, (), (), MarketState({}), nothing, nothing, nothing, np.zeros(0, np.int32), standings=standings)


def _row(d: Doubt) -> list[str | None]:
    return [d.symbol, d.session.isoformat(), d.rule.value, None if d.value is None else repr(d.value), d.detail]


def _doubt(symbol: str, session: str, rule: str, value: str | None, detail: str) -> Doubt:
    return Doubt(symbol, date.fromisoformat(session), Rule(rule), None if value is None else float(value), detail)


def _written(standings: Mapping[LimitKey, Standing]) -> list[list[object]]:
    return [[*key, asdict(s)] for key, s in sorted(standings.items())]


def _read(rows: Sequence[Sequence[Any]]) -> dict[LimitKey, Standing]:
    return {(row[0], row[1]): _older(*row[2:]) if len(row) > 3 else _standing(row[2]) for row in rows}


def _older(state: str, episode: str | None, below: int) -> Standing:
    """As formats up to 4 kept it, when whatever stood had been told."""
    lost = LimitState(state) is LimitState.CANNOT_JUDGE
    return Standing(LimitState(state), episode, below, heard=Heard(episode, blind=lost))


def _standing(row: dict[str, Any]) -> Standing:
    kinds: dict[str, Callable[..., object]] = {
        "acknowledged": Acknowledgement,
        "silence": Silence,
        "heard": Heard,
        "by": _basis,
        "fired": _basis,
    }
    known = {name: kind(**row[name]) for name, kind in kinds.items() if row[name] is not None}
    return Standing(**{**row, "state": LimitState(row["state"]), **known})


def _basis(limit: dict[str, Any], **names: str) -> Basis:
    return Basis(**names, limit=Limit(**limit))


def _seen(glance: Glance | None) -> list[object] | None:
    if glance is None:
        return None
    return [glance.session.isoformat(), glance.basis, [[*key, *figure] for key, figure in sorted(glance.figures.items())]]


def _glances(state: State) -> dict[str, object]:
    named = {"covariance": state.glance, "eve-covariance": state.eve.glance}
    return {name: glance.covariance for name, glance in named.items() if glance is not None}


def _glance(row: Any, arrays: Mapping[str, Any], name: str) -> Glance | None:
    if row is None:
        return None
    session, basis, figures = row
    return Glance(date.fromisoformat(session), basis, {(p, n): (c, s) for p, n, c, s in figures}, arrays[name])


def _of_lanes(state: State) -> dict[str, object]:
    found: dict[str, object] = {}
    for i, stream in enumerate(state.lanes):
        found |= {f"scores{i}": stream.scores} | _named(f"lane{i}", stream.market)
        for a in state.anchors:
            found |= _named(f"anchor{a.row}-{i}", a.lanes[i])
    return found


def _stream(arrays: Mapping[str, Floats], i: int, fault: str) -> Stream:
    return Stream(_market(arrays, f"lane{i}"), frozen(arrays[f"scores{i}"]), fault)


def _anchor(arrays: Mapping[str, Floats], row: int, lanes: int) -> Anchor:
    markets = tuple(_market(arrays, f"anchor{row}-{i}") for i in range(lanes))
    return Anchor(row, _market(arrays, f"anchor{row}"), frozen(arrays[f"fits{row}"]), markets)


def _named(prefix: str, market: MarketState) -> dict[str, object]:
    return {f"{prefix}/{name}": array for name, array in sorted(market.arrays.items())}


def _market(arrays: Mapping[str, object], prefix: str) -> MarketState:
    return MarketState({name.partition("/")[2]: arrays[name] for name in arrays if name.startswith(f"{prefix}/")})  # type: ignore[misc]
