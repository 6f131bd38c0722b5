"""The door of the server: which hosts and methods may enter."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskd.web.headers import HEADERS
from riskd.web.problem import problem

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_name(header: str) -> str:
    """The name in a Host header, lower case, without port and IPv6 brackets; "" if it is malformed."""
    if header.startswith("["):
        name, bracket, port = header[1:].partition("]")
        return name.lower() if bracket and port[:1] in ("", ":") else ""
    name, _, port = header.partition(":")
    return name.lower() if ":" not in port else ""


class Guard:
    """ASGI middleware. A foreign Host gets 421 (DNS rebinding ends here), a method other than GET gets 405."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK | {h.lower() for h in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        host = Headers(scope=scope).get("host", "")

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._answer(scope, host)(scope, receive, send_guarded)

    def _answer(self, scope: Scope, host: str) -> ASGIApp:
        if host_name(host) not in self._hosts:
            return problem(421, f"host {host[:80]!r} is not served here; use one of {', '.join(sorted(self._hosts))}")
        if scope["method"] != "GET":
            return problem(405, f"{scope['method'][:16]} is not offered; this server is read-only", {"Allow": "GET"})
        return self._app
