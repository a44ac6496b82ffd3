"""The order in which one request's messages leave, and whether twice: AWS promises neither.

Clients are tested against every setting.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iot_cloud.settings import Order
from iot_cloud.shadow.service import Message


@dataclass(frozen=True)
class Delivery:
    """How messages are arranged."""

    order: Order = "delta-first"
    duplicates: float = 0.0

    def arrange(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The messages as they are to be sent; the first one leaves before the next is even made, where it may."""
        if self.order == "accepted-first":
            messages = sorted(messages, key=lambda message: not message.topic.endswith("/accepted"))
        elif self.order == "random":
            messages = random.sample(shuffled := list(messages), len(shuffled))
        for message in messages:
            yield from [message] * (2 if random.random() < self.duplicates else 1)  # noqa: S311
