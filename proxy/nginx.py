"""The nginx process: tested, started, reloaded and stopped."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from proxy.errors import DiskError, NginxError
from proxy.settings import Settings

PATIENCE_S = 30.0


class Nginx:
    """One nginx; its configurations are numbered folders, the newest of which is in force."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder / "nginx"
        self._logs = settings.folder / "logs"
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def prepare(self) -> None:
        """Make the folders; remove what an earlier run left, its workers included."""
        self._end_orphans()
        shutil.rmtree(self._folder, ignore_errors=True)
        for folder in (self._folder / "tmp", self._logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _end_orphans(self) -> None:
        """Gateway and master killed at once leave workers, which would serve old lists on our ports for ever.

        Known by our logs, which they write to: the lock of the folder says that no other gateway does.
        """
        logs = self._logs.resolve()
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if process.info["name"] == "nginx" and any(
                    logs in Path(file.path).parents for file in process.open_files()
                ):
                    process.kill()

    def next_folder(self) -> Path:
        """Where the next configuration goes."""
        return self._folder / str(self._number + 1)

    def install(self, files: dict[str, bytes], *, test: bool = True) -> None:
        """Write a configuration to its folder and let nginx test it; the running one is untouched.

        Without the test a laggard is out sooner; nginx itself goes on with the old one if it cannot read the new.

        Raises:
            NginxError: with nginx's own first complaint.
            DiskError: it could not be written.
        """
        try:
            self._install(files, test=test)
        except OSError as error:
            raise DiskError(f"nginx's configuration cannot be written: {error.strerror}") from error

    def _install(self, files: dict[str, bytes], *, test: bool) -> None:
        folder = self.next_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        if test:
            self._test(folder)
        self._number += 1
        shutil.rmtree(self._folder / str(self._number - 2), ignore_errors=True)
        current = self._folder / "current"
        draft = self._folder / "next"
        draft.unlink(missing_ok=True)
        draft.symlink_to(str(self._number))
        draft.replace(current)

    def _test(self, folder: Path) -> None:
        done = subprocess.run([*self._command(folder), "-t", "-q"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(folder)
            raise NginxError(f"nginx: {_complaint(done.stderr)}")

    def start(self, listeners: Iterable[socket.socket]) -> None:
        """Start nginx on sockets that are bound already; it ends when this process does."""
        descriptors = [listener.fileno() for listener in listeners]
        inherited = "".join(f"{descriptor};" for descriptor in descriptors)
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *self._command(self._folder / "current")],
            pass_fds=descriptors,
            env={**os.environ, "NGINX": inherited},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def failure(self) -> str | None:
        """Why nginx has ended, or None while it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        stderr = self._process.stderr
        return _complaint(stderr.read().decode(errors="replace") if stderr else "")

    def workers(self) -> set[int]:
        """The process ids of the workers that accept connections."""
        return {child.pid for child in self._children() if not _is_leaving(child)}

    def reload(self) -> None:
        """Bring the current configuration into force: when this returns no older worker serves a new request.

        Raises:
            NginxError: the old workers stayed.
        """
        before = self.workers()
        if self._process is None:
            return
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE_S
        while not self.workers() or self.workers() & before:
            if time.monotonic() > deadline or self.failure() is not None:
                raise NginxError("nginx did not take the new configuration; see logs/error.log")
            time.sleep(0.01)

    def stop(self) -> None:
        """Let requests finish, then end; by force after a while."""
        if self._process is None:
            return
        for number, patience_s in ((signal.SIGQUIT, 4), (signal.SIGTERM, 2), (signal.SIGKILL, 5)):
            try:
                os.killpg(self._process.pid, number) if number == signal.SIGKILL else self._process.send_signal(number)
                self._process.wait(patience_s)
                break
            except (subprocess.TimeoutExpired, ProcessLookupError):
                continue
        if self._process.stderr:
            self._process.stderr.close()
        self._process = None

    def clear(self) -> None:
        """End the workers of a master that died, so that another can be started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self.stop()

    def _command(self, folder: Path) -> list[str]:
        errors = str(self._logs / "error.log")
        return [str(self._settings.nginx), "-p", str(self._folder), "-e", errors, "-c", str(folder / "nginx.conf")]

    def _children(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        try:
            return psutil.Process(self._process.pid).children()
        except psutil.NoSuchProcess:
            return []


def _is_leaving(worker: psutil.Process) -> bool:
    try:
        return worker.status() == psutil.STATUS_ZOMBIE or "shutting down" in " ".join(worker.cmdline())
    except psutil.NoSuchProcess:
        return True


def _complaint(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if "[emerg]" in line or "[crit]" in line] or stderr.splitlines()
    return lines[0].split("] ", 1)[-1] if lines else "nginx ended without a word"
