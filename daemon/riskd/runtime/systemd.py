"""Tells systemd how the daemon is doing; silent where there is no systemd."""

import os
import socket


def notify(*lines: str) -> bool:
    """Send ``READY=1``, ``STATUS=...``, ``WATCHDOG=1`` or ``STOPPING=1``; True if somebody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)  # whoever does not listen must not stop the loop
        try:
            channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
    return True
