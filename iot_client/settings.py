"""The configuration: a frozen `PiSettings` from `config.toml` (or `[pi]` of `lading.toml`) and the environment."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from iot_client.errors import ConfigError
from iot_client.monitor import ANYWHERE, WHERE

Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
Positive = Annotated[float, Field(gt=0)]
Pin = Annotated[int, Field(ge=0, le=27)]
ScannerName = Literal["inbox", "images", "camera", "usb", "lines"]


class PiSettings(BaseSettings):
    """Everything a door has to know; relative paths are relative to the folder of the file."""

    model_config = SettingsConfigDict(env_prefix="LADING_PI_", frozen=True, extra="forbid")

    folder: Path = Field(description="where keys, certificate, journal and inbox are")
    thing: str = Field(pattern=r"^[a-zA-Z0-9:_-]{1,128}$", description="its name in the IoT cloud")
    device_id: int = Field(gt=0, lt=2**24, description="its number in the DeviceRegistry")
    site: int = Field(gt=0, lt=2**32, description="the site whose goods it hands out")
    operator: Address = Field(description="whose signed commands it obeys")

    chain_id: int = Field(gt=0)
    chain_url: str = Field(pattern=r"^(https?://|ipc:)", description="the gateway, or `ipc:PATH` of its own node")
    gateway_ca: Path = Path("gateway-ca.pem")
    deployments: Path = Path("deployments.json")
    sealers: tuple[Address, ...] = Field(min_length=1)
    confirmations: int = Field(ge=0, description="blocks on top of the release before the gate opens")
    owned_depth: int | None = Field(None, ge=0, description="k; by default half of the sealers")
    verification: Literal["node", "proof"] = "proof"
    period_s: int = Field(1, ge=0, description="the chain's block period, for proofs")
    epoch: int = Field(1_000, gt=0, description="how many blocks until the sealers are listed again")
    distinct_sealers: int | None = Field(None, gt=0)
    max_checkpoint_age_s: Positive = 30 * 86_400.0

    certificate: Path = Path("certificate.pem")
    private_key: Path = Path("x509.key")
    keystore: Path = Path("keystore.json")
    password: Path = Path("password")

    iot_host: str = Field(min_length=1)
    iot_port: int = Field(8883, gt=0, lt=65536)
    iot_ca: Path = Path("ca.pem")
    keep_alive_s: int = Field(20, ge=5, le=1200)
    get_every_s: Positive = 30.0
    open_without_cloud: bool = False

    scanners: tuple[ScannerName, ...] = ("inbox",)
    inbox: Path = Path("inbox")
    images: Path = Path("images")
    camera: int | str = Field(0, description="its number, or the path of its device")
    hand: str = Field("/dev/input/by-id/*-event-kbd", description="the USB hand scanner; a pattern that one fits")
    door_page: str = Field("", pattern=r"^$|^.+:[0-9]{1,5}$", description="HOST:PORT of the door's page; port 0: any")

    gate: Literal["simulated", "pins"] = "simulated"
    lock_pin: Pin = 17
    sensor_pin: Pin | None = None
    green_pin: Pin | None = None
    red_pin: Pin | None = None
    buzzer_pin: Pin | None = None
    pulse_s: Positive = 2.0
    sense_within_s: Positive = 10.0

    monitor: str = Field("", pattern=WHERE, description=ANYWHERE)

    open_within_s: Positive = 60.0
    abort_after_s: Positive = 120.0
    resend_s: Positive = 3.0
    poll_s: Positive = 0.1
    timeout_s: Positive = 3.0
    refund_margin_s: Annotated[float, Field(ge=0)] = 120.0
    max_head_age_s: Positive = 30.0
    max_clock_ahead_s: Positive = 5.0
    min_balance_wei: int = Field(2_000_000_000_000_000, ge=0, description="below it nothing is begun")
    low_balance_wei: int = Field(10_000_000_000_000_000, ge=0, description="below it the operator is told")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings

    def path(self, name: str) -> Path:
        """A path of the configuration, made absolute."""
        value: Path = getattr(self, name)
        return value if value.is_absolute() else self.folder / value

    @property
    def depth_owned(self) -> int:
        """The depth k at which ownership must be proven."""
        return len(self.sealers) // 2 if self.owned_depth is None else self.owned_depth


def home() -> Path:
    """The run folder: LADING_HOME, or `.lading` beside the checkout's files."""
    named = os.environ.get("LADING_HOME")
    return Path(named) if named else Path(__file__).resolve().parents[1] / ".lading"


def find_config(thing: str | None = None) -> Path:
    """The thing's `config.toml`; without a thing, `[pi]` of `lading.toml`, else the only enrolled thing."""
    usual = home() / "lading.toml"
    given = Path(os.environ.get("LADING_CONFIG") or usual)
    if thing is None and (given.exists() or given.resolve() != usual.resolve()) and "pi" in _parse(given):
        return given
    if thing is not None:
        return home() / "pi" / thing / "config.toml"
    found = sorted((home() / "pi").glob("*/config.toml"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(path.parent.name for path in found)
        raise ConfigError(f"several things are enrolled here ({names}): say which one by --thing")
    raise ConfigError(f"no config.toml under {home() / 'pi'}: enrol this device first, or name the file by --config")


def load_settings(path: Path) -> PiSettings:
    """Read the file; raises `ConfigError` that names each wrong field."""
    data = _parse(path)
    table: Any = data.get("pi", data)
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: write [pi] and its settings below it, not pi = …")
    fields: dict[str, Any] = {"folder": path.parent.resolve()} | table
    try:
        return PiSettings(**fields)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ConfigError(f"{path}: {wrong}") from error


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: enrol this device first (lading-pi enrol)") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
