"""The admin API from the outside: what the commands use."""

import http.client
import json
import socket
from typing import Any

from iot_cloud.errors import CloudError, NotRunningError
from iot_cloud.home import CloudHome

TIMEOUT_S = 60.0


class RefusedError(CloudError):
    """The running cloud refused the request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.reason = code


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("cloud", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


def call(home: CloudHome, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The answer of the running cloud; NotRunningError or RefusedError otherwise."""
    connection = UnixConnection(str(home.admin_socket))
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (FileNotFoundError, ConnectionRefusedError):
        message = f"nothing answers on {home.admin_socket}: start the cloud with `lading-cloud up`"
        raise NotRunningError(message) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotRunningError(f"the cloud did not answer: {error}") from error
    finally:
        connection.close()
    if response.status >= 400:
        raise RefusedError(answer["error"]["code"], answer["error"]["message"])
    return answer
