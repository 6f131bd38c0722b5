"""The web server, inside the daemon's own event loop and without its signals."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Collection, Iterator, Sequence

import uvicorn
from fastapi import APIRouter, FastAPI, HTTPException, Response

from riskd.errors import ConfigError
from riskd.observe.board import Archive, Board
from riskd.web.api import Api, Metrics, api_routes
from riskd.web.assets import Asset, assets
from riskd.web.commands import CommandApi, Heed, command_routes
from riskd.web.data import DataApi, Desk, data_routes
from riskd.web.door import Door, Limits
from riskd.web.guard import Guard
from riskd.web.problem import ANYWHERE, explain_refusals, refusals
from riskd.web.protocol import Connection
from riskd.web.stream import ChangeStream
from riskd.web.systems import Registered, SystemsApi, system_routes
from riskd.web.views import ViewsApi, view_routes
from riskd.web.what_if import Asker, WhatIfApi, what_if_routes

GRACE_SECONDS = 3
WORK = 2  # requests under way for each connection that there may be: who has hung up may have left one
ACCEPTED = 8  # connections taken at a time: few enough that each gets to speak before the crowd behind it could cost it its place
QUEUE = 1024  # connections that the system keeps until they are taken; one that it drops would not know and stay
OPENAPI = "/api/v1/openapi.json"


def page_routes(pages: dict[str, Asset]) -> APIRouter:
    """The page and its files."""

    async def static(name: str) -> Response:
        if name not in pages:
            raise HTTPException(404)
        return Response(pages[name].body, media_type=pages[name].media_type)

    async def index() -> Response:
        return await static("index.html")

    async def favicon() -> Response:
        return await static("favicon.svg")

    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", index)
    router.add_api_route("/favicon.ico", favicon)
    router.add_api_route("/static/{name:path}", static)
    return router


def create_app(
    board: Board,
    archive: Archive,
    metrics: Metrics,
    desk: Desk,
    hosts: Collection[str] = (),
    token: str | None = None,
    asker: Asker | None = None,
    heed: Heed | None = None,
    local: bool = True,
    systems: Sequence[Registered] = (),
) -> FastAPI:
    """The page and the API over ``board``, ``archive`` and ``desk``; what-if questions go to ``asker``, commands to ``heed``,
    where there is one; ``systems`` are all that are registered.

    ``metrics`` gives the Prometheus text and its content type. Requests must name a loopback host or one of ``hosts``;
    decisions on prices and commands need ``token``, and so does whatever is not asked on this machine, see :class:`Guard`.
    """
    version, anywhere = board.snapshot.version, refusals(*ANYWHERE)
    app = FastAPI(title="riskd", version=version, docs_url=None, redoc_url=None, openapi_url=OPENAPI, responses=anywhere)
    app.state.stream = ChangeStream(board)
    app.include_router(api_routes(Api(board, archive, metrics, app.state.stream)))
    app.include_router(data_routes(DataApi(desk, token)))
    app.include_router(view_routes(ViewsApi(board, archive)))
    app.include_router(system_routes(SystemsApi(systems)))
    if heed is not None:
        app.include_router(command_routes(CommandApi(heed, token)))
    if asker is not None:
        app.include_router(what_if_routes(WhatIfApi(asker)))
    app.include_router(page_routes(assets()))
    app.add_middleware(Guard, hosts=hosts, token=token, local=local)
    explain_refusals(app)
    return app


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to ``host:port`` (0 picks a free port); ConfigError in one line if it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        advice = "set web.host to an address of this machine"
        raise ConfigError(f"web.host = {host!r} cannot be used ({error.strerror}); {advice}") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen()
    except OSError as error:
        bound.close()
        raise ConfigError(_refusal(host, port, error)) from error
    return bound


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{host}:{port} is in use by another program; stop it or set web.port to a free port"
    if error.errno == errno.EACCES:
        return f"{host}:{port} may not be opened by this user; set web.port to a port above 1023"
    return f"{host}:{port} cannot be opened ({error.strerror}); set web.host to an address of this machine"


class _Server(uvicorn.Server):
    """uvicorn that leaves SIGINT and SIGTERM to the daemon, watches its door, and ends its event streams when it stops."""

    def __init__(self, config: uvicorn.Config, door: Door) -> None:
        super().__init__(config)
        self.server_state = self._door = door

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for bound in sockets or ():
            bound.listen(QUEUE)

    async def on_tick(self, counter: int) -> bool:
        self._door.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.stream.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve ``app`` on ``host:port`` until cancelled, see :func:`serve_on`; ConfigError if the port cannot be had."""
    await serve_on(app, listen(host, port))


async def serve_on(app: FastAPI, bound: socket.socket, door: Door | None = None) -> None:
    """Serve ``app`` on a bound socket until cancelled, then close connections within ``GRACE_SECONDS``."""
    door = door or Door(Limits())
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # not a line for each malformed request
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=WORK * door.limits.connections,
        backlog=ACCEPTED,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, door)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
