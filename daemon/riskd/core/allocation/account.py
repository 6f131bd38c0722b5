"""What a solver's run has cost, stage by stage, and why its methods were not certified."""

from collections.abc import Callable
from dataclasses import dataclass, field

from riskd.core.allocation.fast import Fast


def timeless() -> float:
    """The clock of those who bring none: nothing takes time."""
    return 0.0


@dataclass
class Account:
    """``seconds`` by stage, ``said`` by methods that failed, ``rounds`` of small programs, ``passes`` over the scenarios."""

    clock: Callable[[], float] = timeless
    seconds: dict[str, float] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    rounds: int = 0
    passes: float = 0.0
    run: Fast | None = None  # the last of the fast method, whose selection the next may take up

    def add(self, stage: str, begin: float) -> None:
        """Book the time since ``begin`` under ``stage``."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + self.clock() - begin

    def close(self, run: Fast) -> None:
        """Take over what a run of the fast method has cost."""
        for stage, spent in run.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent
        self.rounds += run.rounds
        self.passes += run.passes.count
