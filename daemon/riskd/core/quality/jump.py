"""Whether a return can be true: against the name's own past, its peers, and what errors look like."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.quality.doubt import Rule
from riskd.core.quality.scale import correlations, scales
from riskd.core.quality.window import Flags

FAR_ALONE, FAR_AMONG = 15.0, 8.0  # scales; among at least WITNESSES others a lone move is suspect sooner
WITNESSES = 3
UNLIKELY = 5.0  # scales; enough where there is other evidence
NEAR = 0.05  # log; nothing nearer is ever suspect
BIG_SCALES, BIG_LEAST, BIG_MOST = 6.0, 0.25, 0.30  # a residual is big beyond 6 scales, kept within these logs
EXCUSE_MOST = 0.4  # log; no market moves further than this with its peers
WITNESS_MOST = 0.6  # log; a peer that moved further is no witness
KIN = 0.5  # absolute correlation from which one relative's move counts as an expectation
CONFIRM_MOST = float(np.log(4.0))  # a larger move is never confirmed by the next close alone
AGREES = 0.02  # log; a second source confirms within this

RATIOS = (3 / 2, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0)
UNITS = (100.0, 1000.0)


class Moves(NamedTuple):
    """One session's log returns (symbols,): NaN where none, and the number of sessions each spans."""

    returns: Floats
    spans: Floats


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a return looks like, and the figures that say so; ``usual`` is its scale, ``excuse`` the part its peers explain."""

    rule: Rule
    move: float
    usual: float
    excuse: float

    def detail(self) -> str:
        """One sentence for a person."""
        looks = {Rule.SPLIT: "; this is a split's ratio", Rule.UNIT: "; this is a change of unit"}.get(self.rule, "")
        return (
            f"would be a log return of {self.move:+.4f} where {self.usual:.4f} is usual"
            f" and the other names explain {self.excuse:+.4f}{looks}"
        )


def limits(usual: Floats, far: float = FAR_ALONE) -> Floats:
    """Largest believable absolute log residual for each scale."""
    big = np.clip(BIG_SCALES * usual, BIG_LEAST, BIG_MOST)
    return np.minimum(np.maximum(far * usual, NEAR), big)


def implausible(moves: Moves, asked: Flags, past: Floats) -> Flags:
    """Which of the ``asked`` moved further than a name does that happens to come to another one's price."""
    usual = scales(past) * np.sqrt(moves.spans)
    return np.asarray(asked & (np.abs(moves.returns) > np.maximum(UNLIKELY * usual, NEAR / 2)))


def suspicions(moves: Moves, asked: Flags, witnesses: Flags, past: Floats) -> dict[int, Suspicion]:
    """Columns among ``asked`` whose return cannot be believed; ``past`` (sessions, symbols) are the returns in use before.

    A move that the witnesses make too, each in its own scale and in the same direction, is no suspicion: a crash is common.
    """
    columns = np.flatnonzero(asked & (np.abs(moves.returns) > NEAR))
    usual = scales(past[:, columns]) * np.sqrt(moves.spans[columns])
    columns = columns[np.abs(moves.returns[columns]) > limits(usual, FAR_AMONG)]
    if not len(columns):
        return {}
    usual = scales(past) * np.sqrt(moves.spans)
    seen = witnesses & np.isfinite(moves.returns) & (np.abs(moves.returns) <= WITNESS_MOST)
    scores = np.where(seen, moves.returns / usual, np.nan)
    found = {}
    for column in map(int, columns):
        move, scale = float(moves.returns[column]), float(usual[column])
        others = np.where(np.arange(len(scores)) == column, np.nan, scores)
        excuse = _excuse(move, scale, others, np.abs(moves.returns) <= limits(usual), correlations(past, column))
        far = FAR_AMONG if np.isfinite(others).sum() >= WITNESSES else FAR_ALONE
        if abs(move) - abs(excuse) > float(limits(np.array(scale), far)):
            found[column] = Suspicion(_looks(move, excuse, scale), move, scale, excuse)
    return found


def _excuse(move: float, scale: float, others: Floats, credible: Flags, related: Floats) -> float:
    """The part of ``move`` that peers explain, never of the other sign; ``others`` are their moves in their own scales.

    By their median where there are enough of them or most are far out on the same side, for that is a crash and no error; or by
    the nearest relative, if that one can be believed by itself.
    """
    near = np.where(np.isfinite(others) & credible, related, 0.0)
    relative = int(np.argmax(np.abs(near)))
    expected = [near[relative] * others[relative]] if abs(near[relative]) >= KIN else []
    known = others[np.isfinite(others)]
    together = len(known) and np.mean(known * np.sign(move) > UNLIKELY) > 0.5
    if len(known) >= WITNESSES or together:
        expected.append(float(np.median(known)))
    same = [e * scale for e in expected if e * move > 0]
    size = min(max(map(abs, same), default=0.0), EXCUSE_MOST, abs(move))
    return float(np.copysign(size, move))


def _looks(move: float, excuse: float, scale: float) -> Rule:
    """What kind of error a suspect move would be."""
    for unit in UNITS:
        if _off(move, excuse, unit) <= 0.3:
            return Rule.UNIT
    for ratio in RATIOS if move < 0 else RATIOS[1:]:  # no reverse split has a fraction
        if _off(move, excuse if ratio >= 2 else 0.0, ratio) <= _tolerance(ratio, scale):
            return Rule.SPLIT
    return Rule.JUMP


def _tolerance(ratio: float, scale: float) -> float:
    """Log distance within which a move is a ratio's: wide where markets never go, narrow where a true crash lands as well."""
    if ratio >= 2:
        return min(3 * scale, 0.1)
    return min(scale, 0.02)


def _off(move: float, excuse: float, ratio: float) -> float:
    """How far a move is from a ratio in logs, the peers' part taken out or not."""
    return float(min(abs(abs(move) - np.log(ratio)), abs(abs(move - excuse) - np.log(ratio))))


def confirmed_by_next(suspicion: Suspicion, after: float) -> bool:
    """Whether the next close's move ``after`` stays at the new level: it moved, credibly, and not half-way back."""
    if not np.isfinite(after) or abs(suspicion.move) > CONFIRM_MOST or abs(after) < 1e-6:  # a stuck tick confirms nothing
        return False
    back = after * suspicion.move < 0 and abs(after) > abs(suspicion.move) / 2
    return not back and abs(after) <= float(limits(np.array(suspicion.usual)))


def confirmed_by_second(suspicion: Suspicion, second: float) -> bool:
    """Whether another source shows the same move."""
    return bool(abs(second - suspicion.move) <= AGREES)
