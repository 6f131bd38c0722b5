"""One pass over a window, oldest row first: which closes are used, and the return that each one makes."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.quality.doubt import Rule
from riskd.core.quality.jump import Moves, Suspicion, confirmed_by_next, confirmed_by_second, implausible, suspicions
from riskd.core.quality.pattern import frozen, moves, same_price, unchanged
from riskd.core.quality.revision import TOLERANCE
from riskd.core.quality.scale import SPAN
from riskd.core.quality.window import Flags, PriceWindow

HALVED = float(np.log(2.6))  # log; a history that moves by less may be true: shares halved and doubled on a day
LONG = 20  # sessions; a newest close that spans more, over closes that are not in use, has no known level to start from


class Finding(NamedTuple):
    """Why the close at (row, column) is not used."""

    row: int
    column: int
    rule: Rule
    detail: str


def sound(window: PriceWindow) -> Flags:
    """Which closes could be used by themselves: positive, finite, of an open exchange, and no person said no."""
    positive = np.isfinite(window.closes) & (window.closes > 0)
    return np.asarray(positive & window.open & ~window.rejected)


@dataclass(slots=True)
class Walk:
    """What the pass found.

    ``returns`` (sessions, symbols): log return of each used close since the used one before it, at row ``bases`` (-1: none).
    ``heard``: the return of a close that is not used. ``restated``: columns whose past would now need a move nobody believes.
    """

    returns: Floats
    heard: Floats
    bases: NDArray[np.int64]
    restated: Flags
    findings: list[Finding] = field(default_factory=list)


class Walker:
    """The pass itself; ``used`` and ``before`` are the returns in use in the window's rows and ahead of them.

    ``rebase``: a level that shifts by a split's or a unit's factor and stays there masks one return and is gone on from, as a
    history wants that nobody will decide on; a ratio that true crashes reach is used and noted. Otherwise such closes wait for a
    person.
    """

    def __init__(self, window: PriceWindow, used: Floats, before: Floats, *, rebase: bool) -> None:
        self.window, self.used, self.rebase = window, used, rebase
        rows, columns = window.closes.shape
        self.sound = sound(window)
        change = moves(window.closes, self.sound)
        self.frozen = frozen(change, before, np.zeros_like(used) if rebase else used) & ~window.approved
        self.flat = unchanged(change, before) & ~window.approved
        self.usable = self.sound & ~self.frozen
        self.past = np.concatenate([before, np.full((rows, columns), np.nan)])
        self.ahead = len(before)
        empty = np.full((rows, columns), np.nan)
        self.walk = Walk(self.past[self.ahead :], empty, np.full((rows, columns), -1), np.zeros(columns, dtype=np.bool_))
        self.base = np.full(columns, np.nan)
        self.base_row = np.full(columns, -1)
        good = np.isfinite(window.dividends) & (window.dividends >= 0)
        self.dividends = np.where(good, window.dividends, np.nan)
        self.owed = np.zeros(columns)  # dividends since the base
        self.carried = np.zeros(columns)  # returns in use since the base whose closes are not known to this source
        self.anchored = self._anchored()

    def run(self) -> Walk:
        """Judge every row."""
        for row in range(len(self.window.sessions)):
            self._advance(row)
        return self.walk

    def _advance(self, row: int) -> None:
        if row:
            self.owed += self.dividends[row]
            self._keep_unknown(row)
        closes, raw = self.window.closes[row], self._raw(row)
        usable = self.usable[row]
        self._find(row, self.sound[row] & self.frozen[row], Rule.FROZEN, raw, "repeats the close of the sessions before")
        first = usable & np.isnan(self.base)
        if row and not self.rebase:
            self.walk.returns[row, first] = self.used[row, first]  # what it rests on has left the window
        candidate = usable & ~first & np.isfinite(raw)
        bad_dividend = usable & ~first & ~np.isfinite(raw)
        self._find(row, bad_dividend, Rule.NOT_POSITIVE, raw, "its dividend is no positive number")
        asked = candidate & ~(np.abs(raw - self.used[row]) <= TOLERANCE)
        beyond = self._beyond(row, asked)
        self.walk.returns[row, beyond] = self.used[row, beyond]
        asked &= ~beyond
        taken = first | bad_dividend | (candidate & ~self._refused(row, raw, candidate, asked))
        kept = taken & ~first & np.isnan(self.walk.returns[row])
        self.walk.returns[row, kept] = raw[kept]
        self.walk.bases[row, taken] = self.base_row[taken]
        self.base = np.where(taken, closes, self.base)
        self.base_row = np.where(taken, row, self.base_row)
        self.owed[taken] = 0.0
        self.carried[taken] = 0.0

    def _raw(self, row: int) -> Floats:
        """Log return (symbols,) from the base, dividends included; NaN where there is none."""
        paid = np.where(self.sound[row], self.window.closes[row], np.nan) + self.owed
        return np.asarray(np.log(paid) - np.log(self.base) - self.carried)

    def _keep_unknown(self, row: int) -> None:
        """A return in use stands where this source knows no close at all; the next one spans less for it."""
        absent = (np.isnan(self.window.closes[row]) | ~self.window.open[row]) & np.isfinite(self.used[row])
        if row == len(self.window.sessions) - 1:
            return
        self.walk.returns[row, absent] = self.used[row, absent]
        self.carried[absent] += self.used[row, absent]

    def _refused(self, row: int, raw: Floats, candidate: Flags, asked: Flags) -> Flags:
        """Which candidates are not used; what they are found to be is written down."""
        if not asked.any():
            return asked
        moved = Moves(raw, row - self.base_row.astype(np.float64))
        past = self.past[max(0, self.ahead + row - SPAN) : self.ahead + row]
        open_to_doubt = asked & ~self.window.approved[row]
        flat = self.flat[row] & open_to_doubt
        same = same_price(self.window.closes[row], candidate, lambda group: implausible(moved, group, past))
        same &= open_to_doubt & ~flat
        self._find(row, flat, Rule.UNCHANGED, raw, "is one of too many closes that did not move this session")
        self._find(row, same, Rule.SAME_PRICE, raw, "is a price that several names have at once and did not come from")
        plain = ~(flat | same)
        suspect = suspicions(moved, open_to_doubt & plain, candidate & plain, past)
        refused = flat | same
        for column, suspicion in suspect.items():
            refused[column] = self._decide(row, column, suspicion)
        return np.asarray(refused | self._unanchored(row, asked & ~refused, raw))

    def _decide(self, row: int, column: int, suspicion: Suspicion) -> bool:
        """Whether a suspect return is refused."""
        in_use = float(self.used[row, column])
        if row < len(self.window.sessions) - 1 and np.isfinite(in_use):
            if abs(suspicion.move - in_use) <= abs(suspicion.move) / 4:  # the move was believed; its size is a detail
                return False
            self._hold(row, column, suspicion)
            return False
        if suspicion.rule is Rule.JUMP:
            if confirmed_by_second(suspicion, self._second(row, column)):
                return False
            if confirmed_by_next(suspicion, self._next(row, column)):
                return False
        elif self.rebase and confirmed_by_next(Suspicion(Rule.JUMP, 0.0, suspicion.usual, 0.0), self._next(row, column)):
            if abs(suspicion.move) < HALVED:
                self.walk.findings.append(Finding(row, column, Rule.UNUSUAL, f"{suspicion.detail()}; it is used"))
                return False
            self._go_on_from(row, column)
        self.walk.heard[row, column] = suspicion.move
        self.walk.findings.append(Finding(row, column, suspicion.rule, suspicion.detail()))
        return True

    def _hold(self, row: int, column: int, suspicion: Suspicion) -> None:
        """A return in use stands against a past that would need an unbelievable move."""
        self.walk.returns[row, column] = self.used[row, column]
        if self.base_row[column] == 0:  # the window's first close was perhaps not used itself: no evidence
            return
        self.walk.restated[column] = True
        in_use = f"the return in use is {self.used[row, column]:+.4f}; the source's past now {suspicion.detail()}"
        self.walk.findings.append(Finding(row, column, Rule.RESTATED, in_use))

    def _beyond(self, row: int, changed: Flags) -> Flags:
        """Changed returns in use that start from the window's first close although neither close was restated.

        That close was not the one they were made from: it had been refused, and what it was refused for has left the window.
        """
        newest = len(self.window.sessions) - 1
        original = (self.window.age[0] >= newest) & (self.window.age[row] >= newest - row)
        return np.asarray(changed & (self.base_row == 0) & np.isfinite(self.used[row]) & original & (row < newest))

    def _go_on_from(self, row: int, column: int) -> None:
        self.base[column], self.base_row[column] = self.window.closes[row, column], row
        self.owed[column] = self.carried[column] = 0.0

    def _next(self, row: int, column: int) -> float:
        """Log move to the next usable close, NaN where there is none yet."""
        later = np.flatnonzero(self.usable[row + 1 :, column] & ~self.flat[row + 1 :, column])
        if not len(later):
            return float("nan")
        at = row + 1 + int(later[0])
        paid = self.window.closes[at, column] + self.dividends[row + 1 : at + 1, column].sum()
        return float(np.log(paid) - np.log(self.window.closes[row, column]))

    def _second(self, row: int, column: int) -> float:
        """The same move as another source has it, NaN where it has none."""
        second = self.window.second[[self.base_row[column], row], column]
        return float(np.diff(np.log(second))[0]) if np.isfinite(second).all() and (second > 0).all() else float("nan")

    def _unanchored(self, row: int, asked: Flags, raw: Floats) -> Flags:
        """New returns from the window's first close, which nothing shows to have been used."""
        unsure = asked & (self.base_row == 0) & np.isnan(self.used[row]) & ~self.anchored & (not self.rebase)
        if row < len(self.window.sessions) - 1:
            return np.asarray(unsure)
        between = (self.sound[1:-1] & np.isnan(self.used[1:-1])).sum(axis=0) >= LONG
        lost = unsure & between & ~self.window.approved[row]
        self._find(row, lost, Rule.RESTATED, raw, "nothing of the sessions before is in use; there is no level to start from")
        return np.asarray(lost)

    def _anchored(self) -> Flags:
        """Columns whose first return in use starts from the window's first close, or of which nothing was ever in use."""
        anchored = ~(np.isfinite(self.past[: self.ahead]).any(axis=0) | np.isfinite(self.used[1:]).any(axis=0))
        for column in np.flatnonzero(np.isfinite(self.used[1:]).any(axis=0) & self.sound[0]):
            at = 1 + int(np.flatnonzero(np.isfinite(self.used[1:, column]))[0])
            if self.sound[at, column]:
                paid = self.window.closes[at, column] + self.dividends[1 : at + 1, column].sum()
                whole = np.log(paid) - np.log(self.window.closes[0, column])
                anchored[column] = abs(whole - self.used[at, column]) <= TOLERANCE
        return np.asarray(anchored)

    def _find(self, row: int, which: Flags, rule: Rule, raw: Floats, detail: str) -> None:
        for column in map(int, np.flatnonzero(which)):
            self.walk.heard[row, column] = raw[column]
            self.walk.findings.append(Finding(row, column, rule, detail))
