"""The order in which one request's messages leave, and whether twice: AWS promises neither.

Clients are tested against every setting.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from iot_cloud.settings import Order
from iot_cloud.shadow.service import Message


@dataclass(frozen=True)
class Delivery:
    """How messages are arranged."""

    order: Order = "delta-first"
    duplicates: float = 0.0

    def arrange(self, messages: Iterable[Message]) -> list[Message]:
        """The messages as they are to be sent."""
        arranged = list(messages)
        if self.order == "accepted-first":
            arranged.sort(key=lambda message: not message.topic.endswith("/accepted"))
        elif self.order == "random":
            random.shuffle(arranged)
        if self.duplicates:
            arranged = [copy for message in arranged for copy in self._copies(message)]
        return arranged

    def _copies(self, message: Message) -> list[Message]:
        return [message] * (2 if random.random() < self.duplicates else 1)  # noqa: S311
