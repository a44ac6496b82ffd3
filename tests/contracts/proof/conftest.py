"""A small chain with a sold item, and what a device there is configured with."""

from __future__ import annotations

import pytest

from contracts.clock import Freshness
from contracts.epochs import Checkpoint
from contracts.memory import Memory
from contracts.proof import Trust
from contracts.prover import Prover
from contracts.seals import SealRules
from tests.contracts.proof import sealing
from tests.contracts.proof.sealing import Chain, Node

RULES = SealRules(period_s=1, epoch=30_000)
TRUST = Trust((sealing.DEPLOYMENT,), RULES, Freshness())


def checkpoint_of(chain: Chain) -> Checkpoint:
    """The checkpoint that the chain's first block makes."""
    return Checkpoint.of(chain.blocks[0])


def prover_of(node: Node, trust: Trust = TRUST, **options: object) -> Prover:
    """A prover of a device that was set up at the chain's first block; its clock follows the chain."""
    chain = node.chain
    settings = {"clock": lambda: chain.head.timestamp, "pause": lambda _: None} | options
    return Prover(node, trust, Memory(checkpoint_of(chain)), **settings)  # type: ignore[arg-type]


@pytest.fixture
def chain() -> Chain:
    """Three sealers, twelve blocks, a sold item."""
    made = Chain(sealing.keyring(3))
    made.seal(12)
    return made


@pytest.fixture
def node(chain: Chain) -> Node:
    """An honest node of it."""
    return Node(chain)
