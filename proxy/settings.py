"""What the gateway is told: the table [gateway] of lading.toml and LADING_GATEWAY_* of the environment."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from proxy.errors import SettingsError
from proxy.run_folder import read_table, run_folder

HOST = r"^[0-9A-Fa-f.:]+$"
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$")]
JS_MODULE = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
UNSAYABLE = re.compile(r"""['"\\$\x00-\x1f\x7f]""")


def sayable(path: Path) -> Path:
    """The path, which nginx's configuration can say.

    Raises:
        SettingsError: it has a character that ends a quoted word there, or begins a variable.
    """
    if UNSAYABLE.search(str(path)):
        raise SettingsError(
            f"{str(path)!r}: nginx's configuration cannot say a path with a quote, a backslash, a dollar "
            "or a control character: choose another (LADING_HOME moves the run folder)"
        )
    return path


Sayable = Annotated[Path, AfterValidator(sayable)]


def _under(*parts: str) -> Path:
    return run_folder().joinpath(*parts)


class Settings(BaseSettings):
    """Everything that can be set; paths are relative to where the command is typed, ports 0 mean any free one."""

    model_config = SettingsConfigDict(env_prefix="LADING_GATEWAY_", frozen=True, extra="forbid")

    home: Sayable = Field(default_factory=run_folder, validate_default=True, description="the run folder")
    host: str = Field("127.0.0.1", pattern=HOST)
    devices_port: int = Field(8443, ge=0, le=65535)
    wallets_host: str = Field("127.0.0.1", pattern=HOST)
    wallets_port: int = Field(8453, ge=0, le=65535)
    web_port: int = Field(443, ge=0, le=65535)
    plain_port: int | None = Field(None, ge=0, le=65535, description="plain HTTP: redirects or refuses")
    status_port: int = Field(0, ge=0, le=65535)

    upstreams: tuple[str, ...] = Field(("http://127.0.0.1:8545", "http://127.0.0.1:8546"), min_length=1)
    web_upstream: str = Field(
        "", pattern=r"^(http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?)?$", description="passphrases: loopback only"
    )
    certificate: Path = Field(default_factory=lambda: _under("gateway", "server.pem"))
    key: Path = Field(default_factory=lambda: _under("gateway", "server.key"))
    client_ca: Path = Field(default_factory=lambda: _under("cloud", "ca", "ca.pem"))
    client_crl: Path = Field(default_factory=lambda: _under("cloud", "ca", "crl.pem"))
    selectors_file: Path = Field(default_factory=lambda: _under("gateway", "selectors.json"))
    wallet_origins: tuple[Origin, ...] = ("http://127.0.0.1:8080", "http://localhost:8080")

    device_rate: int = Field(50, ge=1, description="requests a second of one device")
    device_burst: int = Field(100, ge=1)
    device_connections: int = Field(64, ge=1)
    stranger_rate: int = Field(5, ge=1, description="requests a second of one address without credentials")
    stranger_burst: int = Field(20, ge=1)
    stranger_connections: int = Field(16, ge=1)
    wallet_rate: int = Field(50, ge=1, description="requests a second of one address on the wallets' block")
    wallet_burst: int = Field(200, ge=1)
    wallet_connections: int = Field(64, ge=1)

    poll_s: float = Field(0.5, gt=0, description="how often every node is asked for its head")
    max_lag_blocks: int = Field(1, ge=0, description="a node further behind the best one gets no requests")
    read_timeout_s: float = Field(1.5, gt=0)
    write_timeout_s: float = Field(10, gt=0)
    workers: int = Field(2, ge=1)
    connections: int = Field(4096, ge=64, description="connections a worker")
    worker_user: str = Field(
        "nobody nogroup",
        pattern=r"^[a-z_][a-z0-9_-]*( [a-z_][a-z0-9_-]*)?$",
        description="whom workers run as when started by root",
    )
    nginx: Path = Path("/usr/sbin/nginx")
    js_module: Sayable = JS_MODULE

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, read_table("gateway"))

    @property
    def folder(self) -> Path:
        """Where the gateway keeps its state: `gateway/` of the run folder."""
        return self.home / "gateway"


def load_settings() -> Settings:
    """Read file and environment.

    Raises:
        SettingsError: names the first setting that makes no sense.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"[gateway] {name}: {first['msg']}") from error
    except ValueError as error:
        raise SettingsError(f"LADING_GATEWAY_… of the environment: {error}") from error
