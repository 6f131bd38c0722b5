"""Makes the shapes of losses ahead from the bank that the newest figures were taken from."""

import logging
from collections.abc import Collection

from riskd.core.loss_shape import LossShape, loss_shapes
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.step import Banks
from riskd.errors import ModelError

log = logging.getLogger(__name__)


def newest_shapes(rules: Rules, state: State, banks: Banks, names: Collection[str]) -> tuple[LossShape, ...]:
    """The losses ahead of the portfolios ``names`` on bank A of ``state``; none where the model has no bank."""
    try:
        bank = banks(rules, state, "A")
    except ModelError as error:
        log.warning("no losses ahead to show: %s", error)
        return ()
    return loss_shapes(rules.portfolios, bank, state.session, names)
