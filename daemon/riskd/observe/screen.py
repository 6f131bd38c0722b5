"""A terminal that shows tables anew every few seconds, until it is interrupted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import sleep

from rich.console import Group
from rich.live import Live
from rich.text import Text

from riskd.observe.console import tabled


@dataclass(frozen=True, slots=True)
class Frame:
    """What is on the screen: lines above, a table, lines below; ``tones`` as of :func:`riskd.observe.console.tabled`."""

    above: tuple[str, ...]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    tones: Sequence[str]
    below: tuple[str, ...]


def watch(frame: Callable[[], Frame], seconds: float) -> None:
    """Show ``frame()`` anew every ``seconds``; returns when the person at the terminal interrupts."""
    try:
        with Live(_drawn(frame()), screen=True, auto_refresh=False) as live:
            while True:
                sleep(seconds)
                live.update(_drawn(frame()), refresh=True)
    except KeyboardInterrupt:
        return


def _drawn(frame: Frame) -> Group:
    table = tabled(frame.columns, frame.rows, frame.tones)
    return Group(*map(Text, frame.above), table, *map(Text, frame.below))
