"""The log of what was refused: one line each, but never as fast as somebody floods."""

import logging

from iot_cloud.limits import RateLimit
from iot_cloud.shadow.errors import TooManyRequestsError

log = logging.getLogger(__name__)
LINES_PER_S = 1.0
BURST = 50


class Refusals:
    """Counts lines by sender, so that one who floods neither fills the disk nor hides the others."""

    def __init__(self) -> None:
        self._limit = RateLimit(LINES_PER_S, BURST)

    def tell(self, sender: str, what: str, why: object) -> None:
        """Log that `what` was refused to `sender`."""
        try:
            self._limit.admit(sender)
        except TooManyRequestsError:
            return
        log.warning("refused %s of %s: %s", what, sender, why)
