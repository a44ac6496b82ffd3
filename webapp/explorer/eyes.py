"""Who looks at which chain in which database: what every query of the explorer needs."""

from dataclasses import dataclass

from webapp.database import Database
from webapp.services import Services
from webapp.viewers import Viewer


@dataclass(frozen=True)
class Eyes:
    """One viewer's look at one chain's index."""

    database: Database
    chain_id: int
    viewer: Viewer

    @classmethod
    def of(cls, shop: Services, viewer: Viewer) -> "Eyes":
        """Look at the running application's chain."""
        return cls(shop.database, shop.chain.chain_id, viewer)
