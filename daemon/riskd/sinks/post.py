"""One HTTP POST to an address that an operator configured, and to no machine that was not meant."""

import asyncio
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from riskd.errors import ConfigError, DeliveryError

LARGEST_ANSWER = 64 * 1024  # bytes of an answer that are read
SHOWN_ANSWER = 200  # characters of it that an error repeats
TRY_AGAIN = (408, 425, 429)  # the 4xx that say "later", not "never"
INSIDE = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b:1::/48", "fec0::/10")))  # local, though ipaddress calls them global
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post; ``section`` is the part of the configuration that says so. A path may be a secret and is never shown.

    ``timeout`` is for the whole exchange, in seconds; ``ca_file`` None means the system's certificates.
    """

    section: str
    url: str = field(repr=False)
    allow_private: bool = False
    timeout: float = 10.0
    ca_file: str | None = None

    @property
    def parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        return self.parts.hostname or ""

    @property
    def port(self) -> int:
        return self.parts.port or (443 if self.secure else 80)

    @property
    def secure(self) -> bool:
        return self.parts.scheme == "https"

    @property
    def shown(self) -> str:
        return f"{self.section} {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status and the beginning of the text."""

    status: int
    text: str


def tls_of(target: Target) -> ssl.SSLContext | None:
    """The verifying TLS context of an https target, None for http; raises ConfigError for a file that cannot be used."""
    if not target.secure:
        return None
    try:
        return ssl.create_default_context(cafile=target.ca_file)
    except OSError as error:
        line = f"{target.section}.ca_file = {target.ca_file!r} is not a PEM certificate that can be read: {error}"
        raise ConfigError(line) from None


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet at large; an IPv4 address inside an IPv6 one is judged by itself."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        teredo = ip.teredo[1] if ip.teredo else None
        within = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None
        inner = ip.ipv4_mapped or ip.sixtofour or teredo or within
        if inner is not None:
            return is_public(str(inner))
        if any(ip in network for network in INSIDE):
            return False
    return ip.is_global and not ip.is_multicast


async def post(target: Target, tls: ssl.SSLContext | None, body: bytes, headers: dict[str, str]) -> Answer:
    """Post once, follow no redirect, use no proxy. Raises DeliveryError unless an answer of any status came in time."""
    exchange = Exchange(target, tls)
    try:
        async with asyncio.timeout(target.timeout):
            return await asyncio.to_thread(exchange.run, body, headers)
    except TimeoutError:
        raise DeliveryError(f"{target.shown} did not answer within {target.timeout:g} s") from None
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise DeliveryError(explanation(target, error)) from error
    finally:
        exchange.close()


def require_taken(target: Target, answer: Answer) -> None:
    """Return for a 2xx; else raise DeliveryError, permanent for a 4xx that another try cannot mend."""
    if 200 <= answer.status < 300:
        return
    reason = http.client.responses.get(answer.status, "")
    line = f"{target.shown} answered {' '.join(f'{answer.status} {reason} {answer.text}'.split())}"
    if 300 <= answer.status < 400:
        raise DeliveryError(f"{line}; redirects are not followed: correct {target.section}.url")
    permanent = 400 <= answer.status < 500 and answer.status not in TRY_AGAIN
    raise DeliveryError(line, permanent=permanent)


def explanation(target: Target, error: Exception) -> str:
    """One line that says what failed and what to do."""
    section = target.section
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"has a certificate that is not trusted ({error.verify_message}): check {section}.ca_file and {section}.url"
    elif isinstance(error, ssl.SSLError):
        why = f"TLS failed ({error.reason}): check that {section}.url names a TLS port"
    elif isinstance(error, socket.gaierror):
        why = f"the host name is not known ({error.strerror}): check {section}.url and the DNS"
    elif isinstance(error, UnicodeError):
        why = f"this cannot be a host name ({error}): check {section}.url"
    elif isinstance(error, ConnectionRefusedError):
        why = f"nothing listens there: check {section}.url"
    else:
        why = f"the exchange failed ({error or type(error).__name__})"
    return f"{target.shown}: {why}"


class Exchange:
    """One request and its answer, blocking, in a thread; :meth:`close` from another thread ends it."""

    def __init__(self, target: Target, tls: ssl.SSLContext | None) -> None:
        self._target, self._tls = target, tls
        self._socket: socket.socket | None = None
        self._closed = False

    def run(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Raises OSError, HTTPException, or DeliveryError for an address that may not be asked."""
        target = self._target
        connection = http.client.HTTPConnection(target.host, target.port, timeout=target.timeout)
        connection.default_port = 443 if target.secure else 80
        connection.sock = self._connect()
        path = target.parts.path or "/"
        query = f"?{target.parts.query}" if target.parts.query else ""
        connection.request("POST", path + query, body, {"User-Agent": "riskd", "Connection": "close", **headers})
        answer = connection.getresponse()
        return Answer(answer.status, _beginning(answer))

    def close(self) -> None:
        """Idempotent; whoever still reads or writes is interrupted."""
        self._closed = True
        if self._socket is not None:
            with suppress(OSError):  # not connected any more
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def _connect(self) -> socket.socket:
        """The name is looked up once, and what is connected to is the very address that was judged."""
        target = self._target
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        allowed = [place for place in found if target.allow_private or is_public(str(place[4][0]))]
        if not allowed:
            line = f"{target.shown} is the private address {found[0][4][0]}, which is not asked"
            raise DeliveryError(f"{line}: set {target.section}.allow_private = true if it is meant")
        plain = self._reach(allowed)
        if self._tls is not None:
            self._socket = self._tls.wrap_socket(plain, server_hostname=target.host)
        return self._socket or plain

    def _reach(self, places: Sequence[tuple[Any, ...]]) -> socket.socket:
        """Connected to the first of the places that answers; raises the OSError of the last one."""
        for i, (family, kind, protocol, _, place) in enumerate(places):
            self._socket = plain = socket.socket(family, kind, protocol)
            plain.settimeout(self._target.timeout)
            try:
                plain.connect(place)
                if not self._closed:
                    return plain
            except OSError:
                if i + 1 == len(places):
                    raise
            plain.close()
        raise ConnectionAbortedError("closed while it connected")


def _beginning(answer: http.client.HTTPResponse) -> str:
    """Printable characters of the answer's beginning; empty when its body is broken: the status has been said."""
    try:
        text = answer.read(LARGEST_ANSWER)[: 4 * SHOWN_ANSWER].decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    return "".join(c if c.isprintable() else " " for c in text)[:SHOWN_ANSWER]
