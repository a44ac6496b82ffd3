"""A PostgreSQL server of the tests' own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from worlds import free_port


class PostgresServer:
    """Debian's newest, with a fresh folder; it can be killed and started again."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lpg", dir="/tmp"))
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.programs, self.port = server_programs(), free_port()
        self._run("initdb", "-N", "-A", "trust", "-D", self.folder / "data")
        self.start()

    @property
    def url(self) -> str:
        """Its address for SQLAlchemy."""
        user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """Stop it as a power cut would."""
        self._run("pg_ctl", "-w", "-D", self.folder / "data", "-m", "immediate", "stop")

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: object) -> None:
        command = as_postgres(self.programs / program, *arguments)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def server_programs() -> Path:
    """Return the folder of Debian's newest PostgreSQL."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))


def as_postgres(*command: object) -> list[str]:
    """Return the command as a user that the server accepts: it refuses root."""
    if os.getuid() != 0:
        return [str(part) for part in command]
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", *map(str, command)]
