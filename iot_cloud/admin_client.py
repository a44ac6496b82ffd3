"""The admin API from the outside: what the commands use."""

from typing import Any

import httpx

from iot_cloud.errors import CloudError, NotRunningError
from iot_cloud.home import CloudHome

TIMEOUT_S = 60.0


class RefusedError(CloudError):
    """The running cloud refused the request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.reason = code


def call(home: CloudHome, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The answer of the running cloud; NotRunningError or RefusedError otherwise."""
    transport = httpx.HTTPTransport(uds=str(home.admin_socket))
    try:
        with httpx.Client(transport=transport, timeout=TIMEOUT_S) as client:
            response = client.request(method, f"http://cloud{path}", json=body)
    except httpx.ConnectError:
        raise NotRunningError(
            f"nothing answers on {home.admin_socket}: start the cloud with `lading-cloud up`"
        ) from None
    except httpx.HTTPError as error:
        raise NotRunningError(f"the cloud did not answer: {error}") from error
    answer = response.json()
    if response.is_error:
        raise RefusedError(answer["error"]["code"], answer["error"]["message"])
    return answer
