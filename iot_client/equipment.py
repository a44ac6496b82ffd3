"""What every part of the door's logic works with, chosen once at the start."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from iot_client.cloud.shadow import Shadow
from iot_client.gate import Gate
from iot_client.journal import Journal
from iot_client.loop import Worker
from iot_client.screen import Screen
from iot_client.settings import PiSettings


@dataclass(frozen=True)
class Equipment:
    """Settings and everything that acts; `now` is the wall clock."""

    settings: PiSettings
    journal: Journal
    gate: Gate
    shadow: Shadow
    worker: Worker
    screen: Screen
    now: Callable[[], float] = time.time
