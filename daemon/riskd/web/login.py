"""Who may read where others than this machine's own users can ask: whoever shows the token."""

import base64
import binascii
import hmac
import time
from collections import deque
from collections.abc import Callable
from math import ceil

MOST_GUESSES = 10
GUESS_SECONDS = 60.0
MOST_ADDRESSES = 1024  # remembered; the one that was wrong longest ago is forgotten first


def shown_token(authorization: str) -> str:
    """The token in an Authorization header: a bearer's, or the password of a browser's own dialogue; "" if there is none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def shows(authorization: str, token: str) -> bool:
    """Whether ``authorization`` shows ``token``; how long this takes tells nothing about it."""
    return hmac.compare_digest(shown_token(authorization).encode(), token.encode())


class Guesses:
    """Wrong tokens by address: ten a minute, then nothing that shows a token is looked at."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """``now`` in seconds."""
        self._now = now
        self._wrong: dict[str, deque[float]] = {}

    def wrong(self, address: str) -> None:
        """``address`` has shown a wrong token."""
        times = self._wrong.pop(address, deque(maxlen=MOST_GUESSES))
        times.append(self._now())
        self._wrong[address] = times
        if len(self._wrong) > MOST_ADDRESSES:
            del self._wrong[next(iter(self._wrong))]

    def wait(self, address: str) -> int:
        """Whole seconds until ``address`` may show another token, 0 if it may now."""
        times = self._wrong.get(address)
        if times is None or len(times) < MOST_GUESSES:
            return 0
        return max(0, ceil(times[0] + GUESS_SECONDS - self._now()))
