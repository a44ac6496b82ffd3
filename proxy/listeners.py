"""The listening sockets, bound before nginx starts: port 0 means any free one, a taken port is said in words.

Nginx inherits them as it does from its own predecessor at an upgrade of its binary: by the variable NGINX.
"""

import socket
from collections.abc import Mapping

from proxy.errors import PortTakenError
from proxy.settings import Settings

BACKLOG = 511


def wanted(settings: Settings) -> dict[str, tuple[str, int]]:
    """Which addresses these settings ask for, by the block's name."""
    asked = {
        "devices": (settings.host, settings.devices_port),
        "wallets": (settings.wallets_host, settings.wallets_port),
        "stub": ("127.0.0.1", 0),
    }
    if settings.web_upstream:
        asked["web"] = (settings.host, settings.web_port)
    if settings.plain_port is not None:
        asked["plain"] = (settings.host, settings.plain_port)
    return asked


def bind(asked: Mapping[str, tuple[str, int]]) -> dict[str, socket.socket]:
    """Bind and listen on all of them, or on none.

    Raises:
        PortTakenError: names the block and the port.
    """
    bound: dict[str, socket.socket] = {}
    for name, (host, port) in asked.items():
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            bound[name] = socket.create_server((host, port), family=family, backlog=BACKLOG)
            # nginx sets this on sockets of its own, not on inherited ones: of two workers that wake for one connection
            # the loser would wait in accept, deaf to the master, and no reload would end.
            bound[name].setblocking(False)
        except OSError as error:
            for earlier in bound.values():
                earlier.close()
            raise PortTakenError(f"{name}: cannot listen on {host}:{port}: {error.strerror}") from error
    return bound


def addresses(bound: Mapping[str, socket.socket]) -> dict[str, tuple[str, int]]:
    """Where each block listens."""
    return {name: listener.getsockname()[:2] for name, listener in bound.items()}
