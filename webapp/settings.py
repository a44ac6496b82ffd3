"""Settings of the web application: the table `[web]` of `lading.toml`, overridden by `LADING_WEB_…`."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from webapp.run_folder import read_table, run_folder

SMALLEST_CONSORTIUM = 3
"""Sealers that a chain elsewhere is taken to have; `confirmations` tells better."""


def sealer_count(home: Path) -> int:
    """Return how many sealers the chain in this run folder has: a block below so many others stays."""
    for name in ("ready.json", "network.json"):
        sealers = read_json(home / "chain" / name).get("sealers")
        if sealers:
            return len(sealers)
    return SMALLEST_CONSORTIUM


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file, `{}` if there is none."""
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


class Settings(BaseSettings):
    """What may be set; every default works beside the other parts in one run folder."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="LADING_WEB_", extra="forbid")

    home: Path = Field(default_factory=run_folder)
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 640
    workers: int = 1
    secure_cookies: bool | None = None
    """None: Secure unless the server listens on plain loopback."""
    trusted_proxies: int = 0
    """How many reverse proxies in front set X-Forwarded-For and -Proto."""
    database: str = ""
    """SQLAlchemy URL; empty: SQLite in the run folder."""
    rpc: tuple[str, ...] = ()
    """Node URLs, asked in this order; empty: those of chain/ready.json."""
    rpc_timeout_s: float = 5.0
    wallets_url: str = ""
    """The gateway's block for browser wallets; empty: from gateway/ready.json."""
    deployments: Path | None = None
    cloud_url: str = ""
    thing: str = "web"
    """This application's own name in the IoT cloud."""
    gateway_ca: Path | None = None
    """PEM of the authority above a gateway's certificate that is a company's own, for devices; none: the cloud's."""
    pi_inboxes: dict[str, Path] = Field(default_factory=dict)
    """Thing name to the inbox folder of a Pi on this machine."""
    confirmations: int = Field(default_factory=lambda known: sealer_count(known["home"]), ge=1)
    """Blocks, the transaction's own included, until a transaction counts as settled; as many as there are sealers."""
    voucher_days: int = 30
    public: bool = True
    """The explorer is open to people who are not signed in."""
    scrypt_n: int = 262_144
    unlock_wait_s: float = 60.0
    poll_s: float = 0.5
    sign_in_tries: int = 10
    sign_in_window_s: int = 300
    device_balance_eth: str = "1"
    device_silent_s: float = 60.0
    """A device that was offline for so long is an alarm."""
    low_balance_eth: str = "0.05"
    certificate_warn_days: int = 30
    chain_silent_s: float = 30.0
    """Without a new block for so long, or for ten periods of a slow chain, it is an alarm."""
    node_lag_blocks: int = 5

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, read_table("web"))

    @property
    def folder(self) -> Path:
        """The folder of this process within the run folder, made when missing."""
        folder = self.home / "web"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database or f"sqlite:///{self.folder / 'web.sqlite'}"

    @property
    def deployments_file(self) -> Path:
        """The list of deployments."""
        return self.deployments or self.home / "contracts" / "deployments.json"

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        """The nodes' URLs; empty while no chain is known."""
        return self.rpc or tuple(self.ready("chain").get("rpc", ()))

    @property
    def wallet_rpc(self) -> str:
        """Where people's own wallets reach the chain; empty when no gateway is known."""
        return self.wallets_url or str(self.ready("gateway").get("wallets", ""))

    @property
    def cloud_http(self) -> str:
        """The cloud's HTTPS address; empty when no cloud is known."""
        return self.cloud_url or str(self.ready("cloud").get("http", ""))

    def ready(self, process: str) -> dict[str, Any]:
        """Return what another process says about itself, `{}` while it does not serve."""
        return read_json(self.home / process / "ready.json")
