"""The one bounded worker that opens keystores: a child process, so that no web process grows by scrypt's 256 MB."""

import json
import select
import subprocess
import sys
import threading
from typing import Any

from webapp.errors import Busy, InvalidInput, WebError, WrongPassphrase
from webapp.keystore import decrypt, encrypt

LONGEST_S = 60


class Unlocker:
    """Opens and seals keystores one at a time; the child starts with the first request."""

    def __init__(self, scrypt_n: int, wait_s: float) -> None:
        """Keystores are sealed with `scrypt_n`; a request waits `wait_s` for its turn at most."""
        self._scrypt_n = scrypt_n
        self._wait_s = wait_s
        self._turn = threading.Semaphore(1)
        self._child: subprocess.Popen[str] | None = None

    def unlock(self, keystore: dict[str, Any], passphrase: str) -> bytes:
        """Return the private key.

        Raises:
            WrongPassphrase: it does not open.
            Busy: too many wait.
            InvalidInput: it is no keystore.
        """
        return bytes.fromhex(self._ask({"do": "decrypt", "keystore": keystore, "passphrase": passphrase}))

    def seal(self, key: bytes, passphrase: str) -> dict[str, Any]:
        """Return the keystore of a key."""
        asked = {"do": "encrypt", "key": key.hex(), "passphrase": passphrase, "n": self._scrypt_n}
        return dict(json.loads(self._ask(asked)))

    def _ask(self, request: dict[str, Any]) -> str:
        if not self._turn.acquire(timeout=self._wait_s):
            raise Busy("Many people are signing right now. Nothing was sent; try again in a minute.")
        try:
            reply = self._exchange(json.dumps(request))
        finally:
            self._turn.release()
        if reply.get("error") == "passphrase":
            raise WrongPassphrase
        if reply.get("error") == "keystore":
            raise InvalidInput("keystore", "This key file cannot be read. Nothing was changed.")
        if "result" not in reply:
            raise WebError("The key could not be opened. Nothing was sent; try again.")
        return str(reply["result"])

    def _exchange(self, line: str) -> dict[str, Any]:
        child = self._running()
        assert child.stdin is not None  # noqa: S101  # both are pipes
        assert child.stdout is not None  # noqa: S101
        try:
            child.stdin.write(line + "\n")
            child.stdin.flush()
            # The worker is everybody's: a key file that takes it for too long costs the worker, not the others.
            answered = select.select([child.stdout], [], [], LONGEST_S)[0]
            answer = child.stdout.readline() if answered else ""
        except OSError:
            answer = ""
        if not answer:
            self.close()
            return {}
        return dict(json.loads(answer))

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                # It ends by itself when this process, the other end of its input, is gone.
                [sys.executable, "-m", "webapp.unlock"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._child

    def close(self) -> None:
        """Stop the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()


def _answer(request: dict[str, Any]) -> dict[str, str]:
    try:
        if request["do"] == "encrypt":
            sealed = encrypt(bytes.fromhex(request["key"]), request["passphrase"], request["n"])
            return {"result": json.dumps(sealed)}
        return {"result": decrypt(request["keystore"], request["passphrase"]).hex()}
    except ValueError:
        return {"error": "passphrase"}
    except (KeyError, TypeError, NotImplementedError):
        return {"error": "keystore"}


def serve() -> None:
    """Answer one request a line until the parent closes its end."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
