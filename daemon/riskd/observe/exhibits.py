"""What the page shows beside the snapshot and no subscriber needs: the shapes of losses ahead and the stages of steps."""

from dataclasses import dataclass

from riskd.core.loss_shape import LossShape
from riskd.observe.stages import Run


@dataclass(frozen=True, slots=True)
class Exhibits:
    """``shapes`` are those of the newest session, one a portfolio; ``runs`` the newest steps, newest first."""

    shapes: tuple[LossShape, ...] = ()
    runs: tuple[Run, ...] = ()
