"""Who dawdles leaves, who asks is answered: slow, idle and crowding connections against a real server."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest
from web.conftest import Site

from riskd.web.door import Door, Limits

pytestmark = pytest.mark.integration
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEADS = {
    "silent": b"",
    "half a head": GET[:20],
    "half a body": b"POST /api/v1/data/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n{",
    "refused body": b"POST /api/v1/data/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 67108864\r\n\r\n{",
}
