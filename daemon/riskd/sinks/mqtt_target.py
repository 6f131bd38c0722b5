"""Where and as whom riskd speaks MQTT."""

import ssl
from dataclasses import dataclass, field
from typing import Literal

from riskd.errors import ConfigError


@dataclass(frozen=True, slots=True)
class MqttTarget:
    """Where and as whom to publish. Times in seconds; ``ca_file`` None means the system's certificates."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str = "riskd"
    base_topic: str = "riskd"
    protocol: Literal["5", "3.1.1"] = "5"
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    keepalive: int = 20
    publish_timeout: float = 5.0

    def __post_init__(self) -> None:
        if not self.base_topic or set(self.base_topic) & set("#+\0") or self.base_topic[0] in "/$":
            raise ConfigError(f"mqtt.base_topic = {self.base_topic!r} cannot be published to: use letters, digits, - _ and /")

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def tls_context(target: MqttTarget) -> ssl.SSLContext | None:
    """The verified TLS context of a target, or None without TLS; raises ConfigError that names the unusable file."""
    if not target.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=target.ca_file)
    except OSError as error:
        raise ConfigError(f"mqtt.ca_file = {target.ca_file!r} is not a PEM certificate that can be read: {error}") from None
    if target.cert_file is not None:
        try:
            context.load_cert_chain(target.cert_file, target.key_file)
        except OSError as error:
            files = f"mqtt.cert_file = {target.cert_file!r} and mqtt.key_file = {target.key_file!r}"
            raise ConfigError(f"{files} are not a PEM certificate and its key: {error}") from None
    return context
