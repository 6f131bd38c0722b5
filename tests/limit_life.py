"""A limit as the fold carries it, beside a subscriber who knows nothing but the messages and holds riskd to its word."""

import ast
import inspect
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from types import ModuleType
from typing import Any

import numpy as np

from riskd.core import limits, news, word
from riskd.core.events import Acknowledged, AlertKind, Silenced
from riskd.core.limits import Basis, LimitState, Standing
from riskd.core.news import Moment, News
from riskd.core.portfolio import Limit

LIMIT = Limit("cvar", 0.95, 1, 0.05, clear_below=0.8, clear_after=3)
BASIS = Basis("one", "bootstrap", "held", LIMIT)
CHANGES = (
    replace(BASIS, model="two"),
    replace(BASIS, holdings="other"),
    replace(BASIS, limit=replace(LIMIT, max_cvar=0.09)),
    replace(BASIS, limit=replace(LIMIT, clear_after=1, clear_below=1.0)),
    replace(BASIS, limit=replace(LIMIT, horizon=10)),
    BASIS,
)
AFTER = 3  # sessions to a reminder
FIRST_DAY = date(2026, 11, 21)
OPEN, CLOSE = (AlertKind.BREACH_OPENED,), (AlertKind.BREACH_CLOSED, AlertKind.BREACH_WITHDRAWN)


def mutated(module: ModuleType, old: str, new: str) -> dict[str, Any]:
    """The functions of ``module`` with one piece of their text replaced, over its own classes."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, old
    tree = ast.parse(source.replace(old, new))
    tree.body = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.Assign | ast.ImportFrom | ast.Import)]
    names = dict(vars(module))
    exec(compile(tree, module.__name__, "exec"), names)  # noqa: S102
    return names


@dataclass(frozen=True)
class Rulebook:
    """The functions that make up a limit's life; a mutant has others."""

    judge: Any = limits.judge
    told: Any = news.told
    heeded: Any = word.heeded
    carried: Any = word.carried


def mutant(module: ModuleType, old: str, new: str) -> Rulebook:
    """The life with one guard removed."""
    names = mutated(module, old, new)
    return Rulebook(**{name: names[name] for name in ("judge", "told", "heeded", "carried") if name in names})


@dataclass
class Subscriber:
    """What somebody knows who reads every message."""

    episode: str | None = None
    cvar: float = math.nan  # of the breach, as last told or acknowledged
    blind: bool = False
    paged: bool = True
    today: int = 0  # messages about the session, and about the limit as it is now

    def read(self, item: News, standing: Standing, late: bool) -> None:
        """One message; opened and closed come in turn and name one episode."""
        self.today += 1
        if item.kind in OPEN:
            assert self.episode is None, "opened twice"
            assert item.episode is not None
            self.episode, self.paged = item.episode, not late
        if item.kind in CLOSE:
            assert self.episode == item.episode, "closed what was not open"
            self.episode, self.cvar = None, math.nan
            self.today = 0 if item.kind is AlertKind.BREACH_WITHDRAWN else self.today
        if item.kind is AlertKind.BREACH_ESCALATED:
            assert self.episode is not None, "escalated what was not open"
            self.paged = not late or (self.paged and item.reason != news.RISEN)
        if item.kind in (*OPEN, AlertKind.BREACH_ESCALATED):
            assert standing.cvar is not None
            self.cvar = standing.cvar
        still = self.blind and item.kind in (*OPEN, *CLOSE) and standing.state is LimitState.CANNOT_JUDGE
        self.blind = item.kind is AlertKind.JUDGEMENT_LOST or still


@dataclass
class Life:
    """The eve's standing and the newest, as the fold keeps them, and the subscriber's book."""

    rules: Rulebook = Rulebook()
    basis: Basis = BASIS
    eve: Standing = Standing()
    standing: Standing = Standing()
    reader: Subscriber = field(default_factory=Subscriber)
    day: int = 0
    quiet: dict[int, Basis | None] = field(default_factory=dict)  # day -> by what it was found under the clearing level
    twice: set[int] = field(default_factory=set)  # days judged by two bases: they prove nothing of either
    changed: bool = False  # since the newest session was judged
    warmed: bool = False  # likewise: the state was built anew

    @property
    def session(self) -> str:
        return (FIRST_DAY + timedelta(days=self.day)).isoformat()

    @property
    def now(self) -> datetime:
        return datetime.combine(FIRST_DAY + timedelta(days=self.day), time(21), UTC)

    def close(self, cvar: float, error: float, judgeable: bool = True, late: bool = False) -> tuple[News, ...]:
        """One session more."""
        self.day += 1
        self.eve = self.standing
        self.reader.today = 0
        return self._judged(cvar, error, judgeable, late)

    def again(self, cvar: float, error: float, judgeable: bool = True, late: bool = False) -> tuple[News, ...]:
        """The session is judged again, with other prices or after a start with another configuration."""
        if self.warmed:
            self.eve = self.standing
        return self._judged(cvar, error, judgeable, late)

    def change(self, basis: Basis) -> None:
        """Stopped and started with another configuration; the newest session is taken again.

        Only other models and holdings need another warm-up, after which nothing is known of the eve; limits do not.
        """
        self.warmed = self.warmed or replace(basis, limit=LIMIT) != replace(self.basis, limit=LIMIT)
        self.changed, self.basis = basis != self.basis, basis

    def acknowledge(self) -> None:
        """A person knows."""
        said = Acknowledged(FIRST_DAY, "book", "cvar", "ann", "known", self.now.isoformat())
        before, self.standing = self.standing, self.rules.heeded(self.standing, said)
        assert bool(self.standing.acknowledged) is bool(before.episode)
        if self.standing.acknowledged and self.standing.acknowledged.cvar is not None:
            self.reader.cvar, self.reader.paged = self.standing.acknowledged.cvar, True

    def silence(self) -> None:
        """A person wants no reminders for a day."""
        until = self.now + timedelta(hours=24)
        said = Silenced(FIRST_DAY, "book", "cvar", "ann", "known", self.now.isoformat(), until.isoformat())
        self.standing = self.rules.heeded(self.standing, said)

    def _judged(self, cvar: float, error: float, judgeable: bool, late: bool) -> tuple[News, ...]:
        limit, told, silent = self.basis.limit, self.standing, self._silent()
        redefined = told.by is not None and (told.by.limit.horizon != limit.horizon)
        before = self.rules.carried(self.eve, told, self.basis, not judgeable)
        standing = self.rules.judge(limit, before, cvar, error, judgeable, self.session, None, self.basis)
        moment = Moment(self.session, late, self.now.isoformat())
        said: tuple[News, ...]
        self.standing, said = self.rules.told(limit, standing, moment, AFTER)
        room, known = news.MOST - self.reader.today, replace(self.reader)
        for item in said:
            self.reader.read(item, standing, late)
        self._hold(before, standing, said, room, known, late, silent, redefined)
        self.changed = self.warmed = False
        return said

    def _silent(self) -> bool:
        return self.standing.silence is not None and self.standing.silence.holds(self.now.isoformat())

    def _hold(
        self,
        before: Standing,
        standing: Standing,
        said: tuple[News, ...],
        room: int,
        known: Subscriber,
        late: bool,
        silent: bool,
        redefined: bool,
    ) -> None:
        """Every promise, after every step."""
        cvar, kinds = standing.cvar, [n.kind for n in said]
        if standing.state is LimitState.FIRING:
            assert self.reader.episode == self.standing.episode, "a breach was not told"
        assert self.reader.today <= news.MOST, "too many messages"
        if standing.state is LimitState.FIRING and AlertKind.BREACH_OPENED not in kinds:
            assert cvar is not None
            risen = cvar >= 1.1 * known.cvar
            assert not (risen and room > 0) or AlertKind.BREACH_ESCALATED in kinds, "a rise was not told"
            assert not (risen and room > 0) or self.standing.acknowledged is None, "a rise left it acknowledged"
            overdue = not known.paged and not late and room > 0
            assert not overdue or AlertKind.BREACH_ESCALATED in kinds, "nobody was called"
        reminded = [n for n in said if n.reason == news.UNHEARD]
        assert not reminded or (not silent and before.acknowledged is None), "reminded in silence"
        if standing.state is LimitState.CANNOT_JUDGE:
            assert standing.episode == before.episode, "an episode was lost in the dark"
            assert self.reader.blind or news.MOST - self.reader.today <= 1, "blindness was not told"  # the last place is kept
        if not redefined:
            self._earned(before, standing)
        assert self.standing.acknowledged is None or self.standing.episode, "an acknowledgement outlived its breach"

    def _earned(self, before: Standing, standing: Standing) -> None:
        """Over only after so many quiet sessions in a row, by one basis, under the stricter of the old limit and the new."""
        now = self.basis.limit
        then = before.fired.limit if before.fired and before.episode else now
        level = min(x.clear_below * x.max_cvar for x in (now, then))
        low = standing.state not in (LimitState.CANNOT_JUDGE, LimitState.FIRING) and (standing.cvar or 0) < level
        if self.changed:
            self.twice.add(self.day)
        self.quiet[self.day] = self.basis if low and self.day not in self.twice else None
        if before.episode and standing.episode is None:
            wanted = range(self.day, self.day - max(now.clear_after, then.clear_after), -1)
            assert all(self.quiet.get(day) == self.basis for day in wanted), "clear was not earned"


def wander(life: Life, steps: int, seed: int) -> int:
    """A long walk of every kind of step; sessions seen to fire."""
    random = np.random.default_rng(seed)
    level, fired = 0.04, 0
    for _ in range(steps):
        kind = random.random()
        level = float(np.clip(level * math.exp(random.normal(0, 0.12)), 0.02, 0.2))
        error, judgeable = float(random.choice([0.0, 0.0005, 0.003])), bool(random.random() > 0.06)
        late = bool(random.random() < 0.1)
        jump = float(random.choice([level, 0.01, 0.03, 0.039, 0.06, 0.12]))
        if kind < 0.45:
            life.close(level, error, judgeable, late)
        elif kind < 0.80:
            life.again(jump, error, judgeable, late)
        elif kind < 0.88:
            life.acknowledge()
        elif kind < 0.95:
            life.silence()
        else:
            life.change(CHANGES[int(random.integers(len(CHANGES)))])
            life.again(level, error, judgeable, late)
        fired += life.standing.state is LimitState.FIRING
    return fired
