"""Where alerts go beside MQTT: a webhook, an Alertmanager."""

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from riskd.settings.section import Section, secret

WRITABLE = re.compile(r"[!-~]+")


def _url(value: str) -> str:
    """Messages name no URL: its path may be a secret."""
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not WRITABLE.fullmatch(value):
        raise ValueError("write https://host/path, in ASCII")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("leave user, password and # out; a secret goes into the path or a file")
    return value


Url = Annotated[str, AfterValidator(_url)]
Patience = Annotated[float, Field(gt=0, le=60)]


class Webhook(Section):
    """Every event as an HTTP POST."""

    url: Url = Field(repr=False, description="https://host/path; its path may be a secret, so no message shows it")
    secret_file: Path | None = Field(
        default=None, description="file that holds the secret which signs each post (HMAC-SHA256); must not be readable by others"
    )
    ca_file: Path | None = Field(default=None, description="instead of the system's certificates")
    allow_http: bool = Field(default=False, description="http:// too: whoever is between reads the alerts")
    allow_private: bool = Field(default=False, description="addresses of this machine and of private networks too")
    timeout_seconds: Patience = 10.0

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if not self.allow_http and urlsplit(self.url).scheme != "https":
            raise ValueError("url is not https; write https://, or set allow_http = true")
        return self

    def secret(self) -> str | None:
        """What ``secret_file`` holds; ConfigError when it is missing or others may read it."""
        return secret(self.secret_file, "webhook.secret_file")


class Alertmanager(Section):
    """Open breaches, for an Alertmanager to route; it stands beside riskd, so http and private addresses are as good."""

    url: Url = Field(default="http://127.0.0.1:9093", repr=False, description="without /api/v2/alerts")
    token_file: Path | None = Field(default=None, description="file that holds a bearer token; must not be readable by others")
    ca_file: Path | None = Field(default=None, description="instead of the system's certificates")
    resend_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        default=60, description="between two sendings of what is open; each is good for five"
    )
    runbook_url: str | None = Field(default=None, description="annotation of every alert")
    timeout_seconds: Patience = 10.0

    def token(self) -> str | None:
        """What ``token_file`` holds; ConfigError when it is missing or others may read it."""
        return secret(self.token_file, "alertmanager.token_file")
