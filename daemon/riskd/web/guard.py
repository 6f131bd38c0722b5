"""The door of the server: which hosts and methods may enter."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskd.web.commands import POSTS as COMMANDS
from riskd.web.headers import HEADERS
from riskd.web.problem import problem

DECISIONS = "/api/v1/data/decisions"
WHAT_IF = "/api/v1/what-if"
POSTS = {DECISIONS: 4096, WHAT_IF: 65536, **COMMANDS}  # what may be posted -> the largest body, bytes
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_name(header: str) -> str:
    """The name in a Host header, lower case, without port and IPv6 brackets; "" if it is malformed."""
    if header.startswith("["):
        name, bracket, port = header[1:].partition("]")
        return name.lower() if bracket and port[:1] in ("", ":") else ""
    name, _, port = header.partition(":")
    return name.lower() if ":" not in port else ""


def _post_refused(headers: Headers, hosts: Collection[str], most: int) -> ASGIApp | None:
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return problem(411, "say the length of the body")
    if int(length) > most:
        return problem(413, f"the body has {length[:20]} bytes, {most} are allowed")
    origin = headers.get("origin")
    foreign = origin is not None and host_name(origin.partition("//")[2]) not in hosts
    if foreign or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return problem(403, "another site's page may not decide here")
    return None


class Guard:
    """ASGI middleware. A foreign Host gets 421 (DNS rebinding ends here), a method other than GET gets 405.

    What :data:`POSTS` names may be posted: short, with its length said before, and from no other site's page.
    """

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
        if scope["method"] == "POST" and scope["path"] in POSTS:
            return _post_refused(Headers(scope=scope), self._hosts, POSTS[scope["path"]]) or self._app
        if scope["method"] != "GET":
            return problem(405, f"{scope['method'][:16]} is not offered; this server is read-only", {"Allow": "GET"})
        return self._app
