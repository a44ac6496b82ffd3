"""What a device keeps of what it has verified: the checkpoint and the highest head, as JSON for its journal. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from contracts.clock import Seen
from contracts.epochs import Checkpoint
from contracts.hexadecimal import to_hex
from contracts.proof_errors import AnswerError, Flaw, ProofError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """The newest sealers and the highest head that this device has verified."""

    checkpoint: Checkpoint
    head: Seen | None = None

    def with_head(self, head: Seen) -> Memory:
        """This memory after such a head was verified; it never goes back."""
        known = self.head
        if known is None or (head != known and head.number >= known.number and head.timestamp >= known.timestamp):
            return replace(self, head=head)
        return self


def write_memory(memory: Memory) -> str:
    """The memory as one line of JSON."""
    head = memory.head
    return json.dumps(
        {
            "version": VERSION,
            "checkpoint": checkpoint_json(memory.checkpoint),
            "head": {"number": head.number, "timestamp": head.timestamp} if head else None,
        }
    )


def read_memory(text: str) -> Memory:
    """The memory in such a line.

    Raises:
        AnswerError: it is none; a device then starts from its configuration again.
    """
    try:
        found = json.loads(text)
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']}")
        head = found["head"]
        seen = Seen(int(head["number"]), int(head["timestamp"])) if head else None
        return Memory(read_checkpoint(found["checkpoint"]), seen)
    except (ValueError, KeyError, TypeError, RecursionError, ProofError) as error:
        raise AnswerError(Flaw.MALFORMED, f"what the device remembered cannot be read: {error}") from error


def checkpoint_json(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as JSON."""
    return {
        "number": checkpoint.number,
        "hash": to_hex(checkpoint.hash) if checkpoint.hash else None,
        "timestamp": checkpoint.timestamp,
        "sealers": [to_hex(sealer) for sealer in checkpoint.sealers],
    }


def read_checkpoint(found: Any) -> Checkpoint:
    """The checkpoint in such JSON."""
    stated = found["hash"]
    return Checkpoint(
        number=int(found["number"]),
        hash=bytes.fromhex(stated.removeprefix("0x")) if stated else None,
        timestamp=int(found["timestamp"]),
        sealers=tuple(bytes.fromhex(sealer.removeprefix("0x")) for sealer in found["sealers"]),
    )
