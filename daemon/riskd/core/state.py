"""What the fold remembers between sessions, and the same as bytes."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.forecaster import MarketState
from riskd.core.limits import LimitState, Standing

LimitKey = tuple[str, str]  # portfolio, limit


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """``basis`` names the rules it was built under;

    ``scores`` and ``log_returns`` (sessions, symbols), oldest first, end at ``priced``, the newest session that could be
    used; ``session`` is ``skipped`` sessions later.
    """

    basis: str
    session: date
    priced: date
    skipped: int
    market: MarketState
    scored: int  # scores ever, of which the newest are kept
    scores: Floats
    log_returns: Floats
    standings: Mapping[LimitKey, Standing] = field(default_factory=dict)
    proposals: Mapping[str, Floats] = field(default_factory=dict)  # portfolio -> weights of the standing proposal
    answers: Mapping[str, str] = field(default_factory=dict)  # portfolio -> what the last allocation of this episode ended in


def pack(state: State) -> bytes:
    """The state as an npz archive without pickles; equal states give equal bytes."""
    head = {
        "basis": state.basis,
        "session": state.session.isoformat(),
        "priced": state.priced.isoformat(),
        "skipped": state.skipped,
        "scored": state.scored,
        "standings": [[*key, s.state.value, s.episode, s.below] for key, s in sorted(state.standings.items())],
        "proposals": sorted(state.proposals),
        "answers": dict(state.answers),
    }
    arrays = {
        "head": np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8),
        "scores": state.scores,
        "log_returns": state.log_returns,
        **{f"market/{name}": array for name, array in sorted(state.market.arrays.items())},
        **{f"proposal/{name}": state.proposals[name] for name in sorted(state.proposals)},
    }
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def unpack(content: bytes) -> State:
    """The inverse of :func:`pack`; raises ValueError or KeyError on anything else."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        head = json.loads(arrays["head"].tobytes())
        market = {name.removeprefix("market/"): arrays[name] for name in arrays if name.startswith("market/")}
        return State(
            basis=head["basis"],
            session=date.fromisoformat(head["session"]),
            priced=date.fromisoformat(head["priced"]),
            skipped=head["skipped"],
            market=MarketState(market),
            scored=head["scored"],
            scores=frozen(arrays["scores"]),
            log_returns=frozen(arrays["log_returns"]),
            standings={(p, n): Standing(LimitState(s), e, b) for p, n, s, e, b in head["standings"]},
            proposals={name: frozen(arrays[f"proposal/{name}"]) for name in head["proposals"]},
            answers=head["answers"],
        )
