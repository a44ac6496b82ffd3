"""Who asks over HTTP: a client certificate that is in the registry, or the operator's signature."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from iot_cloud.access import Principal
from iot_cloud.home import CloudHome
from iot_cloud.operator_key import operator_key
from iot_cloud.policy import Role
from iot_cloud.registry import Registry
from iot_cloud.shadow.errors import ForbiddenError
from iot_cloud.sigv4 import SignatureError, SignedRequest, verify


@dataclass(frozen=True)
class Door:
    """Lets in who can prove who they are."""

    home: CloudHome
    region: str
    registry: Registry

    def admit(self, request: SignedRequest, certificate: bytes | None) -> Principal:
        """The principal; ForbiddenError for a certificate unknown or revoked, SignatureError otherwise.

        The registry is asked at every request, so that a revocation also ends connections that are open.
        """
        if certificate is not None:
            return self._by_certificate(certificate)
        if "authorization" not in request.headers:
            raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
        key = operator_key(self.home)
        verify(request, key.access_key_id, key.secret_access_key, self.region, datetime.now(UTC))
        return Principal("operator", Role.OPERATOR)

    def _by_certificate(self, certificate: bytes) -> Principal:
        found = self.registry.by_fingerprint(hashlib.sha256(certificate).hexdigest())
        if found is None or found.revoked_at is not None or found.not_after < datetime.now(UTC).timestamp():
            raise ForbiddenError
        return Principal(found.thing, Role(found.role))
