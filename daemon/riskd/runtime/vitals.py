"""Which parts of the daemon still show signs of life, for a watchdog that must not be fed by the loop alone."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Part:
    within: float
    seen_at: float
    fault: str = ""
    restart_helps: bool = True


class Vitals:
    """``clock`` counts seconds and never goes back. A part is missed only from when it is expected until it is released."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._parts: dict[str, _Part] = {}

    def expect(self, part: str, within: float) -> None:
        """From now on ``part`` must be seen every ``within`` seconds."""
        self._parts[part] = _Part(within, self._clock())

    def release(self, part: str) -> None:
        """``part`` has ended in good order."""
        self._parts.pop(part, None)

    def seen(self, part: str) -> None:
        """``part`` works; one that is not expected may say so too."""
        if part in self._parts:
            self._parts[part] = _Part(self._parts[part].within, self._clock())

    def failed(self, part: str, fault: str, restart_helps: bool = True) -> None:
        """``part`` does not work, until it is seen again."""
        found = self._parts[part]
        found.fault, found.restart_helps = fault, restart_helps

    def well(self, part: str) -> bool:
        """Whether ``part`` has not said that it fails."""
        return part not in self._parts or not self._parts[part].fault

    def unwell(self) -> tuple[str, ...]:
        """One line for each part that failed or has not been seen in time."""
        return tuple(line for _, line in self._faults())

    def restart_helps(self) -> bool:
        """Whether one of them is worth a restart."""
        return any(part.restart_helps for part, _ in self._faults())

    def _faults(self) -> list[tuple[_Part, str]]:
        now = self._clock()
        silent = {name: now - part.seen_at for name, part in self._parts.items() if now - part.seen_at > part.within}
        lines = {name: f"{name}: no sign of life for {age:.0f} s" for name, age in silent.items()}
        lines |= {name: f"{name}: {part.fault}" for name, part in self._parts.items() if part.fault}
        return [(self._parts[name], line) for name, line in lines.items()]
