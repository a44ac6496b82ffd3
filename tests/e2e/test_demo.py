"""`scripts/demo` refuses in clear words, with nothing half-started."""

import os
import socket
import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from scripts.story import processes
from scripts.story.__main__ import MARK, RunFolderTaken, claimed
from scripts.story.beside import beside
from scripts.story.ports import Ports, holder, is_free
from scripts.story.processes import ProcessFailed, RunFolder, last_words


def test_a_taken_port_is_named_with_its_holder() -> None:
    """The message tells which port and which process."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert f"(process {os.getpid()})" in holder(port)
        assert Ports(web=port).taken()[-1].startswith(f"port {port} is taken by ")


def test_free_ports_are_never_taken() -> None:
    """`--free-ports` leaves every choice to the system."""
    assert Ports.any_free().taken() == []


def test_a_run_folder_of_another_network_is_left_alone(tmp_path: Path) -> None:
    """What no demo made is not removed."""
    (tmp_path / "chain").mkdir()
    with pytest.raises(RunFolderTaken, match="did not make"), claimed(tmp_path):
        pass
    assert (tmp_path / "chain").is_dir()


def test_a_second_demo_is_refused(tmp_path: Path) -> None:
    """Two demos never share a run folder."""
    with claimed(tmp_path), pytest.raises(RunFolderTaken, match="another demo is running"), claimed(tmp_path):
        pass


def test_an_earlier_demos_folder_is_emptied(tmp_path: Path) -> None:
    """A stale run folder does not mix with a fresh network."""
    with claimed(tmp_path):
        (tmp_path / "chain").mkdir()
        (tmp_path / "demo" / "old.log").touch()
    with claimed(tmp_path):
        assert [path.name for path in tmp_path.rglob("*")] == ["demo", MARK]


def test_a_command_that_does_not_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name and how long it was waited for, in a sentence."""
    monkeypatch.setattr(processes, "RUN_S", 0.1)
    with pytest.raises(ProcessFailed, match=r"^sleep 60 did not end within 0\.1 s$"):
        RunFolder(tmp_path).run("sleep", "60")


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("INFO a\nlading-chain: full\nadvice\n", "lading-chain: full\nadvice"),
        ("lading-chain: first\nINFO\nlading-chain: last\n", "lading-chain: last"),
        ("lading-chain: long\n" + "\n".join("abcdefghij"), "\n".join("cdefghij")),
        ("a\nb\nc\nd\n", "b\nc\nd"),
        ("", ""),
    ],
)
def test_a_command_that_ended_has_the_last_word(log: str, words: str) -> None:
    """Its own refusal is shown, not what its children said before."""
    assert last_words(log) == words


def test_who_is_interrupted_does_not_wait_for_what_was_beside() -> None:
    """Ctrl-C while a thread waits for the chain: everything is stopped now, not in minutes."""
    chain, waiting = threading.Event(), list[Future[bool]]()

    def interrupted() -> None:
        with beside() as pool:
            waiting.append(pool.submit(chain.wait))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not waiting[0].done()
    chain.set()


def test_wrong_options_are_wrong_usage() -> None:
    """An unknown option ends with status 2 and the usage."""
    done = subprocess.run(
        [".venv/bin/python", "-m", "scripts.story", "--twice"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "usage: scripts/demo" in done.stderr
