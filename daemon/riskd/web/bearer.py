"""Who may change something over HTTP: whoever shows the bearer token."""

import hmac

from fastapi import HTTPException


class Bearer:
    """``token`` None: nobody may. ``otherwise`` names what does the same on the command line."""

    def __init__(self, token: str | None, otherwise: str) -> None:
        self._token, self._otherwise = token, otherwise

    def check(self, authorization: str | None) -> None:
        """Raises HTTPException 403 where nobody may, 401 for another token than the configured one."""
        if self._token is None:
            raise HTTPException(403, f"nobody may decide here: set web.token_file, or use {self._otherwise}")
        shown = (authorization or "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(shown.encode(), self._token.encode()):
            raise HTTPException(401, "the bearer token of web.token_file is needed", {"WWW-Authenticate": "Bearer"})
