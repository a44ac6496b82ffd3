"""`scripts/demo`: sets the stage, tells the story, and keeps everything running for whoever wants to try."""

import argparse
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from contracts.errors import LadingError
from scripts.story.cast import THING
from scripts.story.narration import Narrator
from scripts.story.people import Story
from scripts.story.ports import Ports
from scripts.story.processes import ProcessFailed, RunFolder
from scripts.story.stage import Stage
from scripts.story.tale import StoryBroken, Tale
from scripts.story.visitor import PageRefused

ROOT = Path(__file__).resolve().parents[2]
MARK = "made-by-scripts-demo"
TROUBLES = (ProcessFailed, PageRefused, StoryBroken, LadingError, OSError)


class RunFolderTaken(RuntimeError):  # noqa: N818  # reads as what happened
    """The run folder is in use, or is not the demo's to use."""


def main() -> int:
    """Run the demo; exit status 0 when the story went to its end, 1 when it did not."""
    arguments = _arguments()
    ports = Ports.any_free() if arguments.free_ports else Ports()
    if taken := ports.taken():
        return _refuse(f"{'; '.join(taken)}. End it, or let the system choose: scripts/demo --free-ports")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell may have started us with SIGINT ignored
        signal.signal(number, _interrupt)
    home = Path(os.environ.get("LADING_HOME") or ROOT / ".lading").resolve()
    try:
        with claimed(home):
            return _run(home, ports, once=arguments.once)
    except RunFolderTaken as error:
        return _refuse(str(error))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description="Runs all of Lading on this machine and tells an order's whole way."
    )
    parser.add_argument("--once", action="store_true", help="end after the story; exit status 0 if all went well")
    parser.add_argument(
        "--free-ports", action="store_true", help="any free ports instead of 8080, 8443, 8545 and so on"
    )
    return parser.parse_args()


@contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Hold the run folder, emptied of an earlier demo.

    Raises:
        RunFolderTaken: another demo runs in it, or it holds what no demo made.
    """
    if home.exists() and any(home.iterdir()) and not (home / "demo" / MARK).exists():
        raise RunFolderTaken(
            f"{home} holds a network that the demo did not make; it is left as it is. "
            "Name another folder: LADING_HOME=… scripts/demo"
        )
    (home / "demo").mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    mark = home / "demo" / MARK
    with mark.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunFolderTaken(f"another demo is running in {home}. End it with Ctrl-C there first.") from error
        _empty(home, keep=mark)
        yield


def _empty(home: Path, keep: Path) -> None:
    """Remove what an earlier demo left, but for the lock that is held."""
    earlier = [path for path in home.iterdir() if path != keep.parent] + [p for p in keep.parent.iterdir() if p != keep]
    for path in earlier:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if earlier:
        print(f"An earlier demo's run folder was here ({home}); this demo starts afresh.")


def _run(home: Path, ports: Ports, *, once: bool) -> int:
    tell = Narrator()
    started = time.monotonic()
    with RunFolder(home) as folder:
        stage = Stage(folder, ports)
        try:
            story = Tale(stage, tell).play()
            tell.say(
                f"The whole story took {time.monotonic() - started:.0f} s; all parts hold {folder.memory_mb():.0f} MB."
            )
            if not once:
                _invite(tell, story)
                signal.pause()
        except KeyboardInterrupt:
            tell.say("Stopping every process that the demo started.")
        except TROUBLES as error:
            tell.trouble(f"{error}")
            tell.say(f"Nothing is lost: logs and state are in {home}. Everything is being stopped.")
            return 1
    return 0


def _invite(tell: Narrator, story: Story) -> None:
    url = story.stage.ready["web"]["url"]
    tell.chapter("Now you")
    tell.say("Everything keeps running until Ctrl-C. Sign in as one of these:")
    for person in (story.seller, story.buyer, story.operator):
        tell.fact(person.name, f"passphrase {person.passphrase}")
    tell.fact("buy and sell", url)
    tell.fact("the door", f"{url}/warehouse/{THING} (as operator: drop a barcode's picture there)")
    tell.fact("what the door says", story.stage.path / "pi" / THING / "door.txt")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _refuse(reason: str) -> int:
    print(f"demo: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
