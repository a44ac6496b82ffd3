"""Many who listen to the stream of events at once: each remembers what it heard, and goes on where it stopped."""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Listener:
    """One of them; `hang_up` says after how many events the line breaks, again and again."""

    where: Callable[[], str]
    hang_up: random.Random | None = None
    place: str = ""
    heard: list[tuple[str, str]] = field(default_factory=list)
    lines: int = 0
    starts: int = 0
    refused: int = 0

    async def listen(self, until: Callable[["Listener"], bool]) -> None:
        """Listen, over as many connections as it takes, until there is nothing more to hear."""
        while not until(self):
            try:
                await asyncio.wait_for(self._once(until), 30)
            except (OSError, EOFError, TimeoutError, ValueError):
                await asyncio.sleep(0.05)

    async def _once(self, until: Callable[["Listener"], bool]) -> None:
        parts = urlsplit(self.where())
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            last = f"Last-Event-ID: {self.place}\r\n" if self.place else ""
            writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: {parts.netloc}\r\n{last}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if " 200 " not in head:
                raise ValueError(head)
            self.lines += 1
            patience = self.hang_up.randint(1, 12) if self.hang_up else 10**9
            while not until(self) and patience:
                patience -= self._take(await _event(reader))
        finally:
            writer.close()

    def _take(self, lines: list[str]) -> int:
        said = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
        self.place = said.get("id", self.place)
        kind = said.get("event")
        self.refused += said.get("retry") == "10000"
        self.starts += kind in ("start", "reset")
        if kind in (None, "start", "reset"):
            return 0
        self.heard.append((kind, json.dumps(json.loads(said["data"]), sort_keys=True)))
        return 1


async def _event(reader: asyncio.StreamReader) -> list[str]:
    """Return the next event's lines, out of the chunks of the answer."""
    text = b""
    while not text.endswith(b"\n\n"):
        size = int((await reader.readline()).strip() or b"0", 16)
        if not size:
            raise EOFError
        text += await reader.readexactly(size)
        await reader.readexactly(2)
    return text.decode().strip().splitlines()
