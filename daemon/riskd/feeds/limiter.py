"""How often a source may be asked: a token bucket that turns miserly once the source has said "too many"."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests a source is thought to bear; times in seconds.

    Calm: a bucket of ``burst`` tokens, one more every ``interval``. For an hour after the last "too many", at most
    ``per_hour`` requests in any hour, none before a back-off of ``least`` plus a random part of up to ``least * 2**n``.
    """

    burst: int = 20
    interval: float = 0.5
    per_hour: int = 10
    least: float = 60.0
    most: float = 4 * HOUR


class Limiter:
    """One for the whole process and source; call it from one thread at a time.

    ``clock`` is monotonic seconds, ``sleep`` waits, ``uniform`` gives a random fraction in [0, 1).
    """

    def __init__(
        self, clock: Callable[[], float], sleep: Callable[[float], None], uniform: Callable[[], float], pace: Pace = Pace()
    ) -> None:
        self.clock = clock
        self._sleep, self._uniform, self._pace = sleep, uniform, pace
        self._tokens, self._filled_at = float(pace.burst), clock()
        self._recent: deque[float] = deque(maxlen=pace.per_hour)
        self._strikes, self._struck_at, self._shut_until = 0, -HOUR, clock()

    def take(self, patience: float) -> float:
        """Wait for leave to ask once, at most ``patience`` seconds; 0 is leave, more is how long it would still take."""
        wait = self._wait()
        if wait > patience:
            return wait
        if wait > 0:
            self._sleep(wait)
        self._refill()
        self._tokens -= 1
        self._recent.append(self.clock())
        return 0.0

    def strike(self, retry_after: float = 0.0) -> None:
        """The source said "too many"; ``retry_after`` is the wait it asked for, honoured up to ``most``.

        Strikes within one back-off count once: they answer requests that were already on the way.
        """
        now = self.clock()
        if not self.miserly:
            self._strikes = 0
            self._recent.clear()
        if now >= self._shut_until:
            self._strikes += 1
        spread = self._pace.least * 2 ** min(self._strikes - 1, 16)
        backoff = self._pace.least + self._uniform() * spread
        self._struck_at = now
        self._shut_until = max(self._shut_until, now + min(max(backoff, retry_after), self._pace.most))

    def state(self, now: float) -> dict[str, Any]:
        """What must outlive a restart, as JSON can hold it; ``now`` and all times in it are seconds since 1970."""
        ahead = now - self.clock()
        return {
            "strikes": self._strikes,
            "struck_at": self._struck_at + ahead,
            "shut_until": self._shut_until + ahead,
            "recent": [at + ahead for at in self._recent],
        }

    def restore(self, state: Mapping[str, Any] | None, now: float) -> None:
        """Take up what :meth:`state` said, None for nothing; ``now`` as there.

        Should the wall clock have been put back: no request and no strike lies ahead, no back-off is longer than ``most``.
        """
        if state is None:
            return
        ahead, clock = now - self.clock(), self.clock()
        self._strikes = int(state["strikes"])
        self._struck_at = min(state["struck_at"] - ahead, clock)
        self._shut_until = min(state["shut_until"] - ahead, clock + self._pace.most)
        self._recent.extend(min(at - ahead, clock) for at in state["recent"])

    @property
    def miserly(self) -> bool:
        """Within an hour of the last "too many"."""
        return self._strikes > 0 and self.clock() - max(self._struck_at, self._shut_until) < HOUR

    def _wait(self) -> float:
        self._refill()
        now = self.clock()
        wait = max(0.0, (1 - self._tokens) * self._pace.interval, self._shut_until - now)
        if self.miserly and len(self._recent) == self._pace.per_hour:
            wait = max(wait, self._recent[0] + HOUR - now)
        return wait

    def _refill(self) -> None:
        now = self.clock()
        self._tokens = min(float(self._pace.burst), self._tokens + (now - self._filled_at) / self._pace.interval)
        self._filled_at = now
