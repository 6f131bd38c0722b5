"""What only the page's views show: losses ahead, how everybody's forecasts held, and what steps spent their time on."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response

from riskd.core.canonical import plain
from riskd.core.loss_shape import LEVELS, LossShape
from riskd.core.report import PortfolioReport
from riskd.observe.board import Archive, Board
from riskd.observe.columns import Series, series_of
from riskd.observe.contest import ModelHealth, model_health
from riskd.observe.record import SESSIONS
from riskd.observe.stages import MOST_RUNS, Run
from riskd.web.api import PortfolioName, json_response
from riskd.web.problem import refusals

MOST_SESSIONS = 500  # of one series
READERS = 1  # a year of reports is read and scored at a time
MOST_KEPT = 64  # portfolios whose newest answer is kept


class ViewsApi:
    """Answers from the exhibits on the board, and from the archive: once per session and portfolio, then remembered."""

    def __init__(self, board: Board, archive: Archive) -> None:
        self._board, self._archive = board, archive
        self._readers = asyncio.Semaphore(READERS)
        self._kept: dict[str, tuple[PortfolioReport, bytes]] = {}

    async def scenarios(self, name: PortfolioName) -> Response:
        """The losses ahead of a portfolio as histograms and quantiles per horizon, no horizons where nothing is simulated yet."""
        report = self._report(name)
        nothing = LossShape(name, report.session, "", LEVELS, ())
        return json_response(plain(next((s for s in self._board.exhibits.shapes if s.portfolio == name), nothing)))

    async def model(self, name: PortfolioName) -> Response:
        """How the forecasts of champion, challengers and rivals held over the newest 250 sessions; 404 without a report."""
        report = self._report(name)
        async with self._readers:
            if name not in self._kept or self._kept[name][0] is not report:
                self._kept = dict(list(self._kept.items())[1 - MOST_KEPT :])
                self._kept[name] = report, await asyncio.to_thread(self._judged, name)
        return Response(self._kept[name][1], media_type="application/json")

    async def series(self, name: PortfolioName, last: Annotated[int, Query(ge=1, le=MOST_SESSIONS)] = 250) -> Response:
        """The newest ``last`` sessions as columns, for charts: losses, figures with intervals, limits and their states, weights.

        A twentieth of the history's bytes: what explains a figure is in the history alone. 404 without a report.
        """
        self._report(name)
        async with self._readers:
            return Response(await asyncio.to_thread(self._columns, name, last), media_type="application/json")

    def _columns(self, name: str, last: int) -> bytes:
        found = plain(series_of(name, self._archive.reports(name, last)))
        return json.dumps(found, allow_nan=False, separators=(",", ":")).encode()

    def _report(self, name: str) -> PortfolioReport:
        report = next((r for r in self._board.snapshot.reports if r.portfolio == name), None)
        if report is None:
            raise HTTPException(404, f"no portfolio {name!r} has been reported on; /api/v1/status lists those that have")
        return report

    def _judged(self, name: str) -> bytes:
        return bytes(json_response(plain(model_health(name, self._archive.reports(name, SESSIONS + 1)))).body)

    async def runs(self, last: Annotated[int, Query(ge=1, le=MOST_RUNS)] = 30) -> Response:
        """The newest ``last`` steps of the fold with their stages in seconds, newest first."""
        return json_response(plain(self._board.exhibits.runs[:last]))


def view_routes(api: ViewsApi) -> APIRouter:
    """The routes of ``api``."""
    router = APIRouter(prefix="/api/v1")
    told: list[tuple[str, Callable[..., Any], Any]] = [
        ("/portfolios/{name}/scenarios", api.scenarios, LossShape),
        ("/portfolios/{name}/series", api.series, Series),
        ("/portfolios/{name}/model", api.model, ModelHealth),
        ("/runs", api.runs, list[Run]),
    ]
    for path, answer, kind in told:
        router.add_api_route(path, answer, response_class=Response, responses={200: {"model": kind}, **refusals(404, 422)})
    return router
