"""Who may call: devices by their certificate's serial, users by a secret. Pure."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, replace

from proxy.errors import AlreadyAdmittedError, BadRequestError, UnknownError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SERIAL = re.compile(r"(?:0x)?[0-9a-f]{1,40}")


@dataclass(frozen=True)
class Admission:
    """Devices (name → serial as nginx writes it) and users (name → nonce of the secret)."""

    devices: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)

    def with_device(self, name: str, serial: str) -> "Admission":
        """Admit a certificate; the same facts again change nothing.

        Raises:
            AlreadyAdmittedError: the name has another serial, or the serial another name.
        """
        _check_name(name)
        wanted = nginx_serial(serial)
        if self.devices.get(name, wanted) != wanted:
            raise AlreadyAdmittedError(f"{name} is admitted with another certificate; delete it first")
        holder = next((n for n, s in self.devices.items() if s == wanted), name)
        if holder != name:
            raise AlreadyAdmittedError(f"this certificate is admitted as {holder}")
        return replace(self, devices={**self.devices, name: wanted})

    def with_user(self, name: str) -> "Admission":
        """Admit a user; the same name again changes nothing."""
        _check_name(name)
        return replace(self, users={name: secrets.token_hex(16), **self.users})

    def without_device(self, name: str) -> "Admission":
        """Withdraw a device's admission.

        Raises:
            UnknownError: there is no such device.
        """
        return replace(self, devices=_without(self.devices, name, "device"))

    def without_user(self, name: str) -> "Admission":
        """Withdraw a user's admission; a later user of the same name gets another secret.

        Raises:
            UnknownError: there is no such user.
        """
        return replace(self, users=_without(self.users, name, "user"))


def nginx_serial(serial: str) -> str:
    """A serial in hexadecimal, with or without 0x and colons, as nginx writes it: an even number of capital digits.

    Raises:
        BadRequestError: it is no hexadecimal number of up to 20 bytes.
    """
    digits = serial.strip().lower().replace(":", "")
    if not SERIAL.fullmatch(digits):
        raise BadRequestError("serial must be the certificate's serial number in hexadecimal")
    plain = f"{int(digits, 16):X}"
    return plain.zfill(len(plain) + len(plain) % 2)


def user_secret(key: bytes, name: str, nonce: str) -> str:
    """The user's secret, 256 bits, derived so that it need not be stored."""
    mac = hmac.new(key, f"{name}:{nonce}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def credential_digest(name: str, secret: str) -> str:
    """What the filter looks up: half the SHA-256 of the Authorization header."""
    header = "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
    return hashlib.sha256(header.encode()).hexdigest()[:32]


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise BadRequestError("name must be 1 to 64 letters, digits, dots, dashes or underscores")


def _without(entries: dict[str, str], name: str, what: str) -> dict[str, str]:
    if name not in entries:
        raise UnknownError(f"there is no {what} {name}")
    return {key: value for key, value in entries.items() if key != name}
