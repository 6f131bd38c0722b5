"""How much of a paper is run: a small preset of about a minute on one core, or the full one, on which device."""

from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from riskd.errors import ConfigError

Size = Literal["small", "full"]
Numbers = TypeVar("Numbers")


@dataclass(frozen=True, slots=True)
class Preset:
    """``device`` is torch's name of where networks are trained: ``cpu`` (the same bits on one machine) or ``cuda``."""

    name: Size
    device: str = "cpu"

    @property
    def full(self) -> bool:
        return self.name == "full"

    def of(self, small: Numbers, full: Numbers) -> Numbers:
        """The one of a paper's two sets of numbers that this preset asks for."""
        return full if self.full else small


SMALL = Preset("small")
FULL = Preset("full")


def preset_of(name: str, device: str = "cpu") -> Preset:
    """The preset of that name; raises ConfigError in one line where there is none."""
    for known in get_args(Size):
        if name == known:
            return Preset(known, device)
    raise ConfigError(f"preset {name}: unknown; name {' or '.join(get_args(Size))}")
