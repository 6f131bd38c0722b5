"""What every step of the fold spent its time on: the stages of the newest steps, as they were measured."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

MOST_RUNS = 60
MOST_STAGES = 60  # of one run; a step has about ten

Timed = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage: it began ``after`` seconds from the beginning of its run and took ``seconds``."""

    name: str
    after: float
    seconds: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """The stages that led to one committed step, or to the failure ``fault``; ``what`` says in words what the step was."""

    session: date | None
    what: str
    begun_at: datetime
    seconds: float
    stages: tuple[StageTime, ...]
    fault: str = ""


@dataclass
class Stages:
    """Times stages on one thread at a time; ``inner`` is told of each as well."""

    inner: Timed
    now: Callable[[], datetime]
    clock: Callable[[], float]  # seconds, never going back
    runs: tuple[Run, ...] = ()  # newest first
    _begun: tuple[datetime, float] | None = None
    _stages: list[StageTime] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[object]:
        """Time the block as a stage of the run that is under way."""
        run = self._begun = self._begun or (self.now(), self.clock())
        begun, failed = self.clock(), True
        try:
            with self.inner(name):
                yield name
            failed = False
        finally:
            if (
                self._begun is run and len(self._stages) < MOST_STAGES
            ):  # else it was closed meanwhile: nobody's step may fail by it
                self._stages.append(StageTime(name, begun - run[1], self.clock() - begun, failed))

    def close(self, session: date | None, what: str, fault: str = "") -> tuple[Run, ...]:
        """The run under way has ended; the newest runs, newest first. Nothing is recorded where no stage ran."""
        if self._begun is not None:
            seconds = max((s.after + s.seconds for s in self._stages), default=0.0)
            run = Run(session, what, self._begun[0], seconds, tuple(self._stages), fault)
            self.runs = (run, *self.runs)[:MOST_RUNS]
        self._begun, self._stages = None, []
        return self.runs
