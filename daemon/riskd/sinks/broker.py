"""A small MQTT 3.1.1 broker inside the process, for the demo only; the one door to amqtt."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from riskd.errors import ConfigError

HOST = "127.0.0.1"


@asynccontextmanager
async def embedded_broker(port: int) -> AsyncIterator[None]:
    """Serve anonymous clients on loopback while the block runs; nothing is kept on disk.

    Raises ConfigError if the port is taken or the extra ``demo`` is not installed.
    """
    try:
        from amqtt.broker import Broker
        from amqtt.contexts import BrokerConfig, ListenerConfig
    except ImportError:
        line = "the demo's broker needs amqtt: pip install 'riskd[demo]', or set mqtt.host to a real broker"
        raise ConfigError(line) from None
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.WARNING)
    await _require_free(port)
    broker = Broker(
        BrokerConfig(
            listeners={"default": ListenerConfig(bind=f"{HOST}:{port}")},
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        )
    )
    await broker.start()
    try:
        yield
    finally:
        await broker.shutdown()


async def _require_free(port: int) -> None:
    """Raise ConfigError unless the port can be bound."""
    try:
        probe = await asyncio.start_server(lambda _reader, writer: writer.close(), HOST, port)
    except OSError:
        raise ConfigError(f"{HOST}:{port} is in use: stop the other broker or set mqtt.port") from None
    probe.close()
    await probe.wait_closed()
