"""The door of the server: which hosts and methods may enter."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskd.web.commands import POSTS as COMMANDS
from riskd.web.door import is_local
from riskd.web.headers import HEADERS
from riskd.web.login import MOST_GUESSES, Guesses, shows
from riskd.web.problem import problem

DECISIONS = "/api/v1/data/decisions"
WHAT_IF = "/api/v1/what-if"
POSTS = {DECISIONS: 4096, WHAT_IF: 65536, **COMMANDS}  # what may be posted -> the largest body, bytes
OPEN = frozenset({"/healthz"})  # says nothing but that somebody is there
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
FOREIGN = "another site's page may not ask here"


def host_name(header: str) -> str:
    """The name in a Host header, lower case, without port and IPv6 brackets; "" if it is malformed."""
    if header.startswith("["):
        name, bracket, port = header[1:].partition("]")
        return name.lower() if bracket and port[:1] in ("", ":") else ""
    name, _, port = header.partition(":")
    return name.lower() if ":" not in port else ""


def _foreign(headers: Headers, hosts: Collection[str]) -> bool:
    """Whether another site's page asks; a link on it may be followed."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is not None and host_name(origin.partition("//")[2]) not in hosts:
        return True
    return site not in ("none", "same-origin") and headers.get("sec-fetch-mode") != "navigate"


def _unframed(scope: Scope, headers: Headers) -> ASGIApp | None:
    """The refusal of what two programs could read as two different requests."""
    if scope["http_version"] not in ("1.0", "1.1"):
        return problem(505, f"HTTP/{scope['http_version'][:8]} is not spoken here; HTTP/1.1 is", {"Connection": "close"})
    if "transfer-encoding" in headers and "content-length" in headers:  # the body would end elsewhere for a proxy
        return problem(400, "the body has a length and chunks; send a length", {"Connection": "close"})
    if "transfer-encoding" in headers:
        return problem(411, "say the length of the body instead of sending chunks")
    return None


def _post_refused(headers: Headers, most: int) -> ASGIApp | None:
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return problem(411, "say the length of the body")
    if int(length) > most:
        return problem(413, f"the body has {length[:20]} bytes, {most} are allowed")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return problem(403, FOREIGN)
    return None


class Guard:
    """ASGI middleware. A foreign Host gets 421 (DNS rebinding ends here), a method other than GET gets 405.

    What :data:`POSTS` names may be posted: short, with its length said before, and from no other site's page. Reading is open
    where the server is ``local`` to its machine and is asked for by a name of loopback; whoever else asks shows ``token`` for
    everything but :data:`OPEN`. Wrong tokens are counted by address, whoever refused them.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), token: str | None = None, local: bool = True) -> None:
        self._app = app
        self._hosts = LOOPBACK | {h.lower() for h in hosts}
        self._token = token
        self._open_to = {h for h in self._hosts if h == "localhost" or is_local(h)} if local else set()
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers, address = Headers(scope=scope), (scope.get("client") or ("",))[0]

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 401 and "authorization" in headers:
                    self._guesses.wrong(address)
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._answer(scope, headers, address)(scope, receive, send_guarded)

    def _answer(self, scope: Scope, headers: Headers, address: str) -> ASGIApp:
        host, path, method = headers.get("host", ""), scope["path"], scope["method"]
        if host_name(host) not in self._hosts:
            return problem(421, f"host {host[:80]!r} is not served here; use one of {', '.join(sorted(self._hosts))}")
        if refusal := _unframed(scope, headers):
            return refusal
        if _foreign(headers, self._hosts):
            return problem(403, FOREIGN)
        if path not in OPEN and (refusal := self._stranger(headers, host, address)):
            return refusal
        if method == "POST" and path in POSTS:
            return _post_refused(headers, POSTS[path]) or self._app
        if method != "GET":
            return problem(405, f"{method[:16]} is not offered; this server is read-only", {"Allow": "GET"})
        return self._app

    def _stranger(self, headers: Headers, host: str, address: str) -> ASGIApp | None:
        """The refusal of who has to show the token and does not."""
        shown = headers.get("authorization")
        if shown is not None and (wait := self._guesses.wait(address)):
            return problem(
                429, f"{MOST_GUESSES} wrong tokens came from {address}; wait {wait} seconds", {"Retry-After": f"{wait}"}
            )
        if host_name(host) in self._open_to:
            return None
        if self._token is None:
            return problem(403, "nobody may read here: set web.token_file, or ask for localhost")
        if shown is not None and shows(shown, self._token):
            return None
        asks = "Bearer" if (shown or "").lower().startswith("bearer") else 'Basic realm="riskd", charset="UTF-8"'
        detail = "the token of web.token_file is needed: as a bearer token, or as the password of any name"
        return problem(401, detail, {"WWW-Authenticate": asks})
