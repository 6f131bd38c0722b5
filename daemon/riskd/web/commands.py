"""Commands over HTTP, for who shows the bearer token; the answer is the receipt."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic.config import JsonDict

from riskd.core.command import ORDERS, Command, Refusal, read_command
from riskd.core.receipt import Fate, Receipt
from riskd.web.bearer import Bearer
from riskd.web.problem import refusals

MOST_BODY = 4096  # bytes
POSTS = {f"/api/v1/commands/{name}": MOST_BODY for name, order in ORDERS.items()}
STATUS = {Fate.DONE: 200, Fate.ACCEPTED: 202, Fate.REJECTED: 409, Fate.BUSY: 503, Fate.FAILED: 500}
Heed = Callable[[Command | Refusal], Awaitable[Receipt]]
EXAMPLE = {"portfolio": "book", "limit": "cvar", "author": "ann", "reason": "known, being reduced"}
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}, "example": EXAMPLE}}}}
NAMES: JsonDict = {"enum": list(ORDERS)}
RECEIPT: JsonDict = {"application/json": {}}
TOLD = {202: "Kept, and under way", 400: "No command", 409: "Rejected", 500: "Failed", 503: "Busy; the same id may be sent again"}


class CommandApi:
    """Hands commands on to ``heed``; ``token`` is what a bearer must show, None: nobody may."""

    def __init__(self, heed: Heed, token: str | None) -> None:
        self._heed, self._bearer = heed, Bearer(token, "riskd ack, silence, freeze, recompute and unpark")

    async def give(
        self,
        name: Annotated[str, Path(json_schema_extra=NAMES)],
        request: Request,
        authorization: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The fields of the command as a JSON object, as ``command.schema.json`` describes them; ``id`` is made up if absent.

        200 done; 202 it is kept and under way; 400 no command; 409 rejected; 503 busy, send it again with the same id.
        """
        self._bearer.check(authorization)
        asked = read_command(name, await request.body(), id=str(uuid.uuid4()))
        receipt = await self._heed(asked)
        status = 400 if isinstance(asked, Refusal) else STATUS[receipt.status]
        return Response(receipt.text, status, media_type="application/json")


def command_routes(api: CommandApi) -> APIRouter:
    """The route of ``api``."""
    router = APIRouter(prefix="/api/v1/commands")
    told: dict[int | str, dict[str, Any]] = refusals(405, 411, 413, 422)
    told |= {status: {"description": text, "content": RECEIPT} for status, text in TOLD.items()}
    router.add_api_route("/{name}", api.give, methods=["POST"], response_class=JSONResponse, openapi_extra=BODY, responses=told)
    return router
