"""Work that goes on whatever the chain's nodes and the database do: what does not answer only delays it."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from webapp.errors import ForeignIndex, WebError

LOG = logging.getLogger(__name__)


def persevere(stop: threading.Event, every_s: float, name: str, act: Callable[[], bool]) -> None:
    """Call `act` until told to stop: at once again where it returns True, else after `every_s`.

    Said once while it fails, not at every turn.

    Raises:
        ForeignIndex: the database belongs to another chain; no patience helps.
    """
    failing = False
    while not stop.is_set():
        try:
            at_once, failing = act(), False
        except ForeignIndex:
            raise
        except (WebError, SQLAlchemyError) as error:
            if not failing:
                LOG.warning("%s: %s", name, str(error).partition("\n")[0])
            at_once, failing = False, True
        if not at_once:
            stop.wait(every_s)
