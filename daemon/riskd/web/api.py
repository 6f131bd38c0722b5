"""The read-only HTTP interface: health, metrics, status, history, alerts and the stream of changes."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Path, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from riskd.core.canonical import plain
from riskd.observe.board import Archive, Board
from riskd.observe.snapshot import Snapshot, troubles
from riskd.web.problem import refusals
from riskd.web.stream import ChangeStream, Streaming

Metrics = Callable[[], tuple[bytes, str]]
PortfolioName = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,32}$")]

READY = {"description": "Not ready, and why", "content": {"application/json": {}}}
EVENTS = {"description": "One `change` per new snapshot", "content": {"text/event-stream": {}}}
MOST_SESSIONS = 2500
MOST_ALERTS = 500
READERS = 2  # archive reads at once; more would only slow the cycle


def json_response(value: object, status: int = 200) -> Response:
    """``value``, already plain, as JSON; NaN cannot pass."""
    return Response(json.dumps(value, allow_nan=False, ensure_ascii=False), status, media_type="application/json")


class Api:
    """Answers from the board (now) and the archive (the past). Figures are fractions of value, loss positive."""

    def __init__(self, board: Board, archive: Archive, metrics: Metrics, stream: ChangeStream) -> None:
        self._board = board
        self._archive = archive
        self._metrics = metrics
        self._stream = stream
        self._readers = asyncio.Semaphore(READERS)
        self._status: tuple[Snapshot, bytes] | None = None

    async def healthz(self) -> Response:
        """200 as long as the event loop turns."""
        return json_response({"alive": True})

    async def readyz(self) -> Response:
        """200 when nothing keeps the daemon from judging, else 503 with the reasons. A sink that takes nothing is said beside."""
        snapshot = self._board.snapshot
        problems = [*snapshot.problems, *snapshot.unwell]
        body = {"ready": not problems, "problems": problems, "delivery": troubles(snapshot)}
        return json_response(body, 503 if problems else 200)

    async def metrics(self) -> Response:
        """Prometheus text."""
        body, media_type = self._metrics()
        return Response(body, headers={"Content-Type": media_type})

    async def status(self) -> Response:
        """The newest snapshot; the text is made once per snapshot, however many readers ask."""
        snapshot = self._board.snapshot
        if self._status is None or self._status[0] is not snapshot:
            self._status = snapshot, bytes(json_response(plain(snapshot)).body)
        return Response(self._status[1], media_type="application/json")

    async def history(self, name: PortfolioName, last: Annotated[int, Query(ge=1, le=MOST_SESSIONS)] = 250) -> Response:
        """The newest ``last`` reports of a portfolio, oldest first; 404 if there is none."""
        rows = await self._read(self._archive.reports, name, last)
        if not rows and all(r.portfolio != name for r in self._board.snapshot.reports):
            raise HTTPException(404, f"no portfolio {name!r} has been reported on; /api/v1/status lists those that have")
        return json_response(rows)

    async def alerts(self, last: Annotated[int, Query(ge=1, le=MOST_ALERTS)] = 50) -> Response:
        """The newest ``last`` alerts of all portfolios, newest first."""
        return json_response(await self._read(self._archive.alerts, last))

    async def changes(self, last_event_id: Annotated[str | None, Header()] = None) -> Streaming:
        """Server-Sent Events, one ``change`` per new snapshot; then read the status again."""
        return Streaming(self._stream, last_event_id)

    async def _read(self, query: Callable[..., list[dict[str, Any]]], *arguments: str | int) -> list[dict[str, Any]]:
        async with self._readers:
            return await asyncio.to_thread(query, *arguments)


def api_routes(api: Api) -> APIRouter:
    """The routes of ``api``."""
    router = APIRouter()
    router.add_api_route("/healthz", api.healthz, response_class=JSONResponse)
    router.add_api_route("/readyz", api.readyz, response_class=JSONResponse, responses={503: READY})
    router.add_api_route("/metrics", api.metrics, response_class=PlainTextResponse)
    router.add_api_route("/api/v1/status", api.status, response_class=JSONResponse)
    refused = refusals(404, 422)
    router.add_api_route("/api/v1/portfolios/{name}/history", api.history, response_class=JSONResponse, responses=refused)
    router.add_api_route("/api/v1/alerts", api.alerts, response_class=JSONResponse, responses=refusals(422))
    router.add_api_route("/api/v1/stream", api.changes, response_class=Response, responses={200: EVENTS})
    return router
