"""What the pages work with, chosen in one place and passed in."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from webapp.chain import Chain
from webapp.cloud import Cloud
from webapp.database import Database
from webapp.gates import Gates
from webapp.outbox import Outbox
from webapp.readings import Readings
from webapp.settings import Settings
from webapp.unlock import Unlocker
from webapp.vouchers import Vouchers


@dataclass(frozen=True)
class Services:
    """The real parts behind the pages."""

    settings: Settings
    database: Database
    chain: Chain
    outbox: Outbox
    unlocker: Unlocker
    vouchers: Vouchers
    cloud: Cloud
    gates: Gates
    readings: Readings

    @classmethod
    def open(cls, settings: Settings) -> "Services":
        """Open all that the settings name.

        Raises:
            SettingsError: something in the run folder is missing.
        """
        return cls.over(settings, Chain.open(settings))

    @classmethod
    def over(cls, settings: Settings, chain: Chain) -> "Services":
        """Open all parts over this chain."""
        database, cloud = Database(settings.database_url), Cloud(settings)
        return cls(
            settings=settings,
            database=database,
            chain=chain,
            outbox=Outbox(database, chain),
            unlocker=Unlocker(settings.scrypt_n, settings.unlock_wait_s),
            vouchers=Vouchers(database, chain.chain_id, settings.folder / "voucher.key"),
            cloud=cloud,
            gates=Gates(database),
            readings=Readings(cloud),
        )

    def close(self) -> None:
        """Give back connections and stop the child."""
        self.unlocker.close()
        self.cloud.close()
        self.chain.node.close()
        self.database.close()


def services() -> Services:
    """Return the services of the running application."""
    return cast("Services", current_app.extensions["lading"])
