"""The table [cloud] of lading.toml, overridden by LADING_CLOUD_* in the environment."""

from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from iot_cloud.errors import SettingsError
from iot_cloud.monitor import ANYWHERE, WHERE
from iot_cloud.run_folder import read_table, settings_file

Order = Literal["delta-first", "accepted-first", "random"]


class Settings(BaseSettings):
    """How the cloud runs. Ports are 0 for any free one."""

    model_config = SettingsConfigDict(env_prefix="LADING_CLOUD_", frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="the address that broker and data plane listen on")
    names: tuple[str, ...] = Field((), description="further host names and addresses for the server's certificate")
    mqtt_port: int = Field(8883, ge=0, le=65535)
    http_port: int = Field(8444, ge=0, le=65535)
    region: str = Field("eu-central-1", description="the region that a SigV4 signature must name")
    certificate_days: int = Field(397, ge=1)
    crl_days: int = Field(30, ge=2, description="renewed at half of it; an expired list locks everybody out")
    overlap_days: int = Field(7, ge=0, description="how long a renewed certificate's predecessor stays valid")
    requests_per_s: float = Field(20, gt=0, description="shadow requests a second that one thing may send (AWS: 20)")
    burst: int = Field(40, ge=1, description="requests that a thing may send at once")
    order: Order = Field("delta-first", description="AWS promises no order of accepted and delta: choose one to test")
    duplicates: float = Field(0.0, ge=0, le=1, description="share of messages sent twice, as AWS may")
    synchronous: Literal["NORMAL", "FULL"] = Field("NORMAL", description="SQLite's; FULL also survives a power cut")
    keep_readings: int = Field(100_000, ge=1, description="readings kept for a thing; the oldest go first")
    keep_events: int = Field(100_000, ge=1, description="events kept for a thing; the oldest go first")

    monitor: str = Field("", pattern=WHERE, description=ANYWHERE)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, read_table("cloud"))


def load_settings() -> Settings:
    """The settings in force, or SettingsError that names the key and the file."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"[cloud] {key} in {settings_file()} or the environment: {first['msg']}") from error
    except ValueError as error:
        raise SettingsError(f"LADING_CLOUD_… of the environment: {error}") from error
