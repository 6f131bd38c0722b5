"""The network's whole state before chosen sessions: where simulations of more than one session begin."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from riskd.core.arrays import Floats, Floats32
from riskd.forecast.contract import HEAD, HIDDEN
from riskd_models.features import State, advanced, first_state
from riskd_models.network import LstmJsu
from riskd_models.recipe import Scale
from riskd_models.study.stream import BURN_IN

Arrays32 = dict[str, Floats32]  # the contract's state of one path: (1, columns), (1, 1) or (1, columns, hidden)


@torch.no_grad()
def recursions(returns: Floats, scale: Scale, market: int, days: Sequence[int]) -> tuple[Tensor, dict[int, State]]:
    """Inputs after every session (columns, sessions, 12) and, for each of ``days``, the recursive arrays before that session.

    ``returns`` (sessions, columns) are log returns, the first ``market`` columns make up the market.
    """
    rows, wanted = torch.from_numpy(np.ascontiguousarray(returns)), set(days)
    state = first_state(rows[: scale.spin_up], scale)
    inputs, found = [], {}
    for day, r in enumerate(rows):
        if day in wanted:
            found[day] = state
        state, row = advanced(state, r, scale, market)
        inputs.append(row)
    return torch.stack(inputs, dim=1).float(), found


@torch.no_grad()
def origins(
    network: LstmJsu, inputs: Tensor, before: dict[int, State], first: int, days: Sequence[int]
) -> Iterator[tuple[int, Arrays32]]:
    """The state before each of ``days``, which rise and are of one year; ``first`` is the first session of that year.

    The network's memory is built up over BURN_IN sessions before the year, as in riskd_models.study.stream.
    """
    done, memory = max(0, first - 1 - BURN_IN), None
    for day in days:
        params, memory = network.run(inputs[:, done:day], memory)
        done = day
        arrays = {name: value[None] for name, value in before[day].items()}
        arrays |= {name: value[:, -1][None] for name, value in zip(HEAD, params, strict=True)}
        arrays |= dict(zip(HIDDEN, memory, strict=True))  # each (1, columns, hidden)
        yield day, {name: np.ascontiguousarray(value.float().numpy()) for name, value in arrays.items()}
