"""Prices over HTTP: how they stand, what was restated, what is in quarantine; and the one thing to write, a decision."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Header, HTTPException, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from riskd.errors import RiskdError
from riskd.web.api import json_response
from riskd.web.bearer import Bearer
from riskd.web.problem import POSTED, refusals

READERS = 2  # at once; status reads every close
MOST = 500
Symbol = Annotated[str, Field(min_length=1, max_length=32)]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Desk(Protocol):
    """What is asked of prices; blocking, called from worker threads."""

    def status(self) -> list[dict[str, Any]]: ...
    def revisions(self, symbol: str | None, last: int) -> list[dict[str, Any]]: ...
    def quarantine(self, everything: bool = False) -> list[dict[str, Any]]: ...
    def decide(
        self, symbol: str, session: date, verdict: Literal["approve", "reject"], author: str, reason: str
    ) -> dict[str, Any]: ...


class Decision(BaseModel):
    """Whether a price in quarantine is used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Symbol
    session: date
    verdict: Literal["approve", "reject"]
    author: Words
    reason: Words


class DataApi:
    """Answers from the desk; ``token`` is what a bearer must show to decide, None: nobody may."""

    def __init__(self, desk: Desk, token: str | None) -> None:
        self._desk, self._bearer = desk, Bearer(token, "riskd data approve and reject")
        self._readers = asyncio.Semaphore(READERS)

    async def status(self) -> Response:
        """Every symbol with each source, the oldest first."""
        return await self._read(self._desk.status)

    async def revisions(self, symbol: Symbol | None = None, last: Annotated[int, Query(ge=1, le=MOST)] = 50) -> Response:
        """What sources changed in their own past, newest first."""
        return await self._read(self._desk.revisions, symbol, last)

    async def quarantine(self, everything: bool = False) -> Response:
        """Prices that wait for a decision; with ``everything`` also those that do not any more."""
        return await self._read(self._desk.quarantine, everything)

    async def decide(self, decision: Decision, authorization: Annotated[str | None, Header()] = None) -> Response:
        """Approve or reject; the newest session is judged again within a minute."""
        self._bearer.check(authorization)
        d = decision
        async with self._readers:
            try:
                held = await asyncio.to_thread(self._desk.decide, d.symbol, d.session, d.verdict, d.author, d.reason)
            except RiskdError as error:
                raise HTTPException(404, str(error)) from None
        return json_response(held)

    async def _read(self, query: Callable[..., list[dict[str, Any]]], *arguments: object) -> Response:
        async with self._readers:
            return json_response(await asyncio.to_thread(query, *arguments))


def data_routes(api: DataApi) -> APIRouter:
    """The routes of ``api``."""
    router = APIRouter(prefix="/api/v1/data", default_response_class=JSONResponse, responses=refusals(422))
    router.add_api_route("/status", api.status)
    router.add_api_route("/revisions", api.revisions)
    router.add_api_route("/quarantine", api.quarantine)
    router.add_api_route("/decisions", api.decide, methods=["POST"], responses=refusals(404, *POSTED))
    return router
