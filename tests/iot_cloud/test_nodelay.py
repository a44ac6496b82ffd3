"""Nagle's algorithm is off on both ends of the service's connection: seen on the sockets, not on the clock."""

import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud

PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


def connected_sockets(pid: int, port: int) -> Iterator[socket.socket]:
    """Copies of a process's established TCP sockets that have the broker's port at one end."""
    process = os.pidfd_open(pid)
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            copy = _libc.syscall(PIDFD_GETFD, process, int(entry.name), 0)
            if copy < 0:
                assert ctypes.get_errno() != 1, "pidfd_getfd is forbidden here: sockets cannot be looked at"
                continue
            if entry.readlink().as_posix().startswith("socket:"):
                with socket.socket(fileno=copy) as found, contextlib.suppress(OSError, IndexError):  # no TCP socket
                    if port in (found.getsockname()[1], found.getpeername()[1]):
                        yield found
            else:
                os.close(copy)
    finally:
        os.close(process)


@pytest.mark.parametrize("name", ["broker", "service"])
def test_no_delay_is_set(cloud: RunningCloud, device: PahoDevice, name: str) -> None:
    """Every connection of the broker, and the service's own, has TCP_NODELAY."""
    sockets = connected_sockets(cloud.children()[name], cloud.ready["mqtt_port"])
    options = [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets]
    assert options
    assert all(options)
