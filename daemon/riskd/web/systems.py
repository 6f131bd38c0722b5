"""Every registered system: what it is, whether it runs here and under which name, and what the laboratory found."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from riskd.lab.systems import Strict, System
from riskd.web.api import json_response


class Place(Strict):
    """Where a system runs here: ``name`` is that of its figures, ``role`` what it does there."""

    name: str
    role: str


class Registered(System):
    """A system of the catalogue, or one that runs here and no catalogue knows."""

    here: tuple[Place, ...] = ()


class SystemsApi:
    """Answers from a list that does not change while the daemon runs."""

    def __init__(self, systems: Sequence[Registered]) -> None:
        self._body = bytes(json_response([system.model_dump(mode="json") for system in systems]).body)

    async def systems(self) -> Response:
        """Every registered system by group, with its places here and its scores in the laboratory.

        Scores are to the digits of their tables; how a system does here is in the model health of each portfolio.
        """
        return Response(self._body, media_type="application/json")


def system_routes(api: SystemsApi) -> APIRouter:
    """The route of ``api``."""
    router = APIRouter(prefix="/api/v1")
    router.add_api_route("/systems", api.systems, response_class=Response, responses={200: {"model": list[Registered]}})
    return router
