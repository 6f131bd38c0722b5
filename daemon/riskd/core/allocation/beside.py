"""What the contenders would hold, with the same figures from the same banks as the proposal."""

from collections.abc import Callable, Sequence

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.contender import Contender, Lookback
from riskd.core.allocation.outlook import Books, alternative, one_limit
from riskd.core.allocation.verification import Verifier
from riskd.core.arrays import Floats
from riskd.core.proposed import Alternative
from riskd.errors import ModelError, SolverError


def beside(
    contenders: Sequence[Contender],
    history: Lookback,
    books: Books,
    rounded: Callable[[Allocation], Floats],
    verifier: Verifier,
    lot: float,
) -> tuple[tuple[Alternative, ...], tuple[str, ...]]:
    """Every contender's weights, ``rounded`` to what can be traded; of those that give none one note each, why."""
    task = books.posed
    longest = next(i for i, limit in enumerate(task.limits) if limit.horizon == task.horizon)
    problem = one_limit(task.problem, longest)
    told, notes = [], []
    for contender in contenders:
        try:
            answer, words = contender.answer(problem, history)
            if answer.status is not Ending.OPTIMAL:
                raise SolverError("; ".join(answer.said) or "nothing could be proved")
        except (ModelError, SolverError) as error:
            notes.append(f"{contender.name} gives no weights: {error}")
            continue
        weights = rounded(answer)
        readings = verifier(weights) if contender.sees_scenarios else verifier.plain(weights)
        over = [reading.limit.name for reading in readings if reading.excess > 1]
        breaks = f"breaks limit{'s' * (len(over) > 1)} {', '.join(over)}" if over else ""
        told.append(alternative(books, contender.name, weights, readings, lot, "; ".join(filter(None, (breaks, words)))))
    return tuple(told), tuple(notes)
