"""What would be held: the asked trades, the asked weights, or the best there are."""

from dataclasses import dataclass

from riskd.core.allocation.answer import Allocation
from riskd.core.arrays import Floats
from riskd.core.what_if.answer import Optimum
from riskd.core.what_if.grammar import trades
from riskd.core.what_if.holdings import Ground, in_whole_lots, weights_after, weights_given
from riskd.core.what_if.optimum import Task, optimum
from riskd.core.what_if.question import Question


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Weights (n,) after, the symbols whose orders were ``rounded`` to whole lots, how an optimum was found, and the least CVaR
    where it was needed on the way."""

    weights: Floats
    rounded: tuple[str, ...] = ()
    optimum: Optimum | None = None
    least: Allocation | None = None


def changed(on: Ground, of: Task, question: Question) -> Change:
    """Weights that can be traded; what is held where nothing is asked or there is no optimum. Raises QuestionError."""
    if question.optimise is not None:
        found, told, least = optimum(of, question.optimise)
        lots = (on.portfolio.weights, ()) if found is None else in_whole_lots(on, found)
        return Change(*lots, told, least)
    if question.weights is not None:
        return Change(*in_whole_lots(on, weights_given(on, question.weights)))
    if question.trades is not None:
        return Change(*in_whole_lots(on, weights_after(on, trades(question.trades, on.rules.symbols))))
    return Change(on.portfolio.weights)
