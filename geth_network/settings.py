"""The table `[chain]` of lading.toml, each key overridden by `LADING_CHAIN_<KEY>`."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from geth_network.errors import SettingsError
from geth_network.monitor import ANYWHERE, WHERE
from geth_network.run_folder import read_table, settings_file


class Settings(BaseSettings):
    """How to build and run the chain; options of `lading-chain new` win over these."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="LADING_CHAIN_")

    geth: Path | None = Field(None, description="geth; default: .cache/bin of the checkout, else PATH")
    bootnode: Path | None = Field(None, description="bootnode, found the same way")
    anvil: Path | None = Field(None, description="anvil, for --chain anvil; default: node_modules")
    ganache: Path | None = Field(None, description="ganache, for --chain ganache; default: node_modules")
    sealers: int = Field(3, description="nodes that produce blocks; odd, since an even one adds no safety")
    rpc_nodes: int = Field(2, description="nodes without keys that answer JSON-RPC on loopback")
    period_s: int = Field(1, description="seconds between blocks")
    epoch: int = Field(1000, description="blocks between lists of the sealers in headers; fixed for good")
    chain_id: int | None = Field(None, description="default: drawn at random below 2^53")
    gas_limit: int = Field(30_000_000, description="gas of the genesis block and the miners' target")
    treasury_ether: int = Field(1_000_000_000, description="what the genesis gives the treasury")
    rpc_port: int = Field(8545, description="port of the first RPC node, the next one's is one more; 0: any")
    peer_port: int = Field(30300, description="the same for peers, the bootnode first")
    host: str = Field("127.0.0.1", description="the address at which other members' nodes reach ours")
    allow: str = Field("127.0.0.0/8", description="networks (CIDR, comma-separated) with which nodes may peer")
    start_timeout_s: float = Field(90, description="how long up waits until every node advances")
    stop_timeout_s: float = Field(60, description="how long a node may take to stop before it is killed")
    steady_s: float = Field(60, description="a node that lived so long ends a row of failures")
    quiet_s: float = Field(5, description="no block for so long (or 4 periods) and the watchdog looks closer")
    monitor: str = Field("", pattern=WHERE, description=ANYWHERE)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # named by pydantic
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then the environment, then the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, read_table("chain"))


def read_settings(**options: Any) -> Settings:
    """The settings; refuses in words what is no setting, or of the wrong kind."""
    try:
        return Settings(**options)
    except ValidationError as refusal:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in refusal.errors())
        faults = faults.replace("Extra inputs are not permitted", "there is no such setting")
        raise SettingsError(f"[chain] of {settings_file()}, or LADING_CHAIN_…: {faults}") from None
