"""What-if over HTTP: a question in, the whole answer out; nothing is changed by it."""

import asyncio
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from riskd.core.what_if.answer import Answer
from riskd.core.what_if.grammar import LONGEST
from riskd.core.what_if.question import LEAST_LEVEL, MOST_LEVEL, Aim, Question, QuestionError
from riskd.web.api import json_response
from riskd.web.guard import WHAT_IF
from riskd.web.problem import POSTED, refusals

ASKERS = 2  # questions answered at once; one core each
Share = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]
Weight = Annotated[float, Field(strict=True, ge=-10, le=10, allow_inf_nan=False)]
Symbol = Annotated[str, Field(min_length=1, max_length=32)]
EXAMPLE: JsonDict = {"portfolio": "growth", "trades": "sell 2% AAPL buy JNJ", "level": 0.95, "horizon": 1, "limit": 0.035}


class Asked(BaseModel):
    """A what-if question. Fractions of value, loss positive; what is left out is as the portfolio has it.

    At most one of `trades`, `weights` and `optimise`; without any the answer is of what is held. Example:
    `{"portfolio": "growth", "trades": "sell 2% AAPL buy JNJ", "level": 0.95, "horizon": 1, "limit": 0.035}`
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    portfolio: Annotated[str | None, Field(max_length=32, description="Needed where there are several.")] = None
    horizon: Annotated[int | None, Field(strict=True, ge=1, le=1000, description="Sessions; one of scenarios.horizons.")] = None
    level: Annotated[
        float | None, Field(strict=True, ge=LEAST_LEVEL, le=MOST_LEVEL, description="Confidence: 0.95 is the worst 5 %.")
    ] = None
    limit: Annotated[float | None, Field(strict=True, ge=1e-6, le=1, description="The most that CVaR may be.")] = None
    trades: Annotated[
        str | None, Field(max_length=LONGEST, description="Such as: sell 2% SPY buy GLD; rotate all XYZ -> TLT.")
    ] = None
    weights: Annotated[dict[Symbol, Weight] | None, Field(description="All that is to be held; the rest is cash.")] = None
    optimise: Annotated[Aim | None, Field(description="profit: largest expected profit within the limits; cvar: least CVaR.")] = (
        None
    )
    bounds: Annotated[dict[Symbol, tuple[Weight, Weight]], Field(description="Least and most weight by symbol.")] = {}
    max_weight: Annotated[Share | None, Field(description="Of every symbol without bounds of its own.")] = None
    max_turnover: Annotated[Share | None, Field(description="One-way, for an optimum.")] = None
    max_cash: Share | None = None
    cost: Annotated[Share | None, Field(description="Of what is traded, as a fraction of it.")] = None
    keep_limits: Annotated[bool, Field(strict=True, description="An optimum keeps the portfolio's own limits too.")] = False
    explain: Annotated[bool, Field(strict=True, description="Whether a limit can be met, and if not, why; takes longer.")] = True
    frontier: Annotated[bool, Field(strict=True, description="Also the mean-CVaR frontier, 20 points; takes longer.")] = False

    def question(self) -> Question:
        """The same for the engine."""
        return Question(**{name: getattr(self, name) for name in type(self).model_fields})


class Asker(Protocol):
    """Who answers; blocking, called from worker threads. Raises QuestionError for what cannot be asked."""

    def ask(self, question: Question) -> dict[str, Any]: ...


class WhatIfApi:
    """Puts questions to ``asker``, two at a time."""

    def __init__(self, asker: Asker) -> None:
        self._asker, self._busy = asker, 0

    async def ask(self, asked: Asked) -> Response:
        """What a change of holdings, or another limit, would mean: risk, limits, orders, expected profit, feasibility.

        Answered on the scenarios of the newest session: without trades CVaR is the published figure. Nothing is changed, so no
        token is needed.
        """
        if self._busy >= ASKERS:
            raise HTTPException(429, f"{ASKERS} questions are being answered; ask again in a second", {"Retry-After": "1"})
        self._busy += 1
        try:
            return json_response(await asyncio.to_thread(self._asker.ask, asked.question()))
        except QuestionError as error:
            raise HTTPException(422, str(error)) from None
        finally:
            self._busy -= 1


def what_if_routes(api: WhatIfApi) -> APIRouter:
    """The routes of ``api``."""
    router = APIRouter()
    answers: dict[int | str, dict[str, Any]] = {200: {"model": Answer, "description": "The answer"}, **refusals(422, *POSTED)}
    router.add_api_route(WHAT_IF, api.ask, methods=["POST"], response_class=Response, responses=answers)
    return router
