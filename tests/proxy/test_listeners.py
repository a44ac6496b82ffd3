"""The sockets that nginx inherits."""

import os

from proxy.listeners import bind


def test_inherited_sockets_never_block_a_worker() -> None:
    """A worker that loses the race for a connection must go on: a blocking accept would outlast every reload."""
    bound = bind({"devices": ("127.0.0.1", 0), "wallets": ("127.0.0.1", 0)})
    try:
        assert [os.get_blocking(listener.fileno()) for listener in bound.values()] == [False, False]
    finally:
        for listener in bound.values():
            listener.close()
