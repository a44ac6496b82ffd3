"""A device's MQTT session in as few bytes as will do, so that thousands fit into one process."""

import asyncio
import contextlib
import json
from typing import Any

from iot_cloud.connection import Endpoint, tls_context

# CONNECT, MQTT 3.1.1, clean session, keep-alive 600 s, empty client id: the certificate says who it is.
CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x02\x58\x00\x00"
CONNACK = b"\x20\x02\x00\x00"
PUBLISH_QOS1, PUBACK, SUBSCRIBE = 0x32, 0x40, 0x82


class Session:
    """One connection; QoS 1 both ways."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, thing: str) -> None:
        self._reader, self._writer = reader, writer
        self._prefix = f"$aws/things/{thing}/shadow"

    @classmethod
    async def open(cls, thing: str, endpoint: Endpoint) -> "Session":
        """Connect; ConnectionError if the broker does not let it in."""
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=tls_context(endpoint))
        writer.write(CONNECT)
        answer = await reader.readexactly(4)
        if answer != CONNACK:
            raise ConnectionError(f"{thing} was not let in: {answer.hex()}")
        return cls(reader, writer, thing)

    async def listen(self) -> None:
        """Subscribe to the answers of get and update."""
        filters = b"".join(_text(f"{self._prefix}/{verb}/accepted") + b"\x01" for verb in ("get", "update"))
        self._writer.write(_packet(SUBSCRIBE, b"\x00\x01" + filters))
        await self._next(lambda kind, _body: kind == 0x90)

    async def ask(self, verb: str, body: dict[str, Any]) -> Any:
        """Publish a request and wait until it is accepted."""
        self._writer.write(
            _packet(PUBLISH_QOS1, _text(f"{self._prefix}/{verb}") + b"\x00\x02" + json.dumps(body).encode())
        )
        wanted = f"{self._prefix}/{verb}/accepted"
        return await self._next(lambda kind, body: kind & 0xF0 == 0x30 and _topic(body) == wanted)

    async def ended(self) -> None:
        """Return when the other side has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(4096):
                pass

    async def close(self) -> None:
        """End it, whatever state it is in."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _next(self, wanted: Any) -> Any:
        while True:
            kind, body = await self._read()
            if kind & 0xF6 == PUBLISH_QOS1:
                self._writer.write(_packet(PUBACK, _payload(body)[0]))
            if wanted(kind, body):
                return json.loads(_payload(body)[1]) if kind & 0xF0 == 0x30 else None

    async def _read(self) -> tuple[int, bytes]:
        kind, length, shift = (await self._reader.readexactly(1))[0], 0, 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return kind, await self._reader.readexactly(length)


def _packet(kind: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([kind]) + bytes(digits) + body


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _topic(body: bytes) -> str:
    return body[2 : 2 + int.from_bytes(body[:2], "big")].decode()


def _payload(body: bytes) -> tuple[bytes, bytes]:
    """The packet's number and its payload."""
    start = 2 + int.from_bytes(body[:2], "big")
    return body[start : start + 2], body[start + 2 :]
