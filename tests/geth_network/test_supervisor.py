"""A node that keeps failing: real processes, the watchdog's patience made short."""

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geth_network import child, status, watchdog
from geth_network import supervisor as supervisor_module
from geth_network.__main__ import main
from geth_network.errors import NodeError
from geth_network.supervisor import Supervisor
from geth_network.watchdog import MAX_FAILURES
from tests.geth_network.chain import Chain, await_that

WORDS = "Fatal: Failed to open chaindata: leveldb: corrupt"


@pytest.fixture
def failing(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Supervisor, list[str]]]:
    """A network of one node that ends at once, and what its supervisor says."""
    monkeypatch.setattr(watchdog, "FIRST_DELAY_S", 0.01)
    network = chain.new(sealers=1, rpc_nodes=0)
    said: list[str] = []
    command = {"seller": ["sh", "-c", f"echo {WORDS}; exit 1"]}
    with chain.folder.held():
        supervisor = Supervisor(chain.folder, network, command, say=said.append, stopping=threading.Event())
        yield supervisor, said
        supervisor.stop()


def test_a_node_that_keeps_failing_stays_down_with_an_alarm(
    chain: Chain, failing: tuple[Supervisor, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Six failures, then no more starts; `status` says it, as a table and as JSON, and what to do."""
    supervisor, said = failing
    supervisor.start()
    keeping = supervisor.nodes["seller"]

    def given_up() -> bool:
        supervisor.tend("seller")
        return keeping.alarm is not None

    await_that(given_up, "the alarm")
    for _ in range(20):
        supervisor.tend("seller")
    assert keeping.child is None
    assert len([words for words in said if "started again" in words]) == MAX_FAILURES
    assert [words for words in said if words.startswith("ALARM")]

    lines = {line.node: line for line in status.read_status(chain.folder)}
    assert lines["seller"].state == "failed"
    assert "stays down: the data folder of seller is damaged; `lading-chain resync seller`" in str(
        lines["seller"].alarm
    )
    main(["status"])
    assert "ALARM seller: seller failed 7 times in a row and stays down" in " ".join(capsys.readouterr().out.split())


def test_a_node_without_room_is_tried_until_there_is_some(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: said once, tried for ever, and the alarm ends when the node lives long enough."""
    monkeypatch.setattr(watchdog, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(supervisor_module, "LONGEST_DELAY_S", 0.05)
    network, room, said = chain.new(sealers=1, rpc_nodes=0), tmp_path / "room", list[str]()
    geth = f"[ -e {room} ] && exec sleep 60; echo 'Low disk space. Gracefully shutting down'; exit 0"
    with chain.folder.held():
        supervisor = Supervisor(
            chain.folder, network, {"seller": ["sh", "-c", geth]}, say=said.append, stopping=threading.Event(),
            steady_s=0.5,
        )  # fmt: skip
        try:
            supervisor.start()
            keeping = supervisor.nodes["seller"]

            def after(condition: Callable[[], bool]) -> Callable[[], bool]:
                return lambda: supervisor.tend("seller") is None and condition()

            await_that(after(lambda: keeping.restarts.failures > MAX_FAILURES + 3), "tries beyond the usual")
            assert "is full; free some of it" in str(keeping.alarm)
            assert len([words for words in said if words.startswith("ALARM")]) == 1
            room.touch()
            await_that(after(lambda: keeping.alarm is None), "the alarm's end")
            assert said[-1] == "seller is well again"
        finally:
            supervisor.stop()


FULL = OSError(errno.ENOSPC, "No space left on device")


def raising(*_: object) -> None:
    """What writing is on a disk without any room."""
    raise FULL


def test_a_start_that_cannot_write_is_tried_again(
    failing: tuple[Supervisor, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settings nor state.json can be written: the others go on, the alarm is said once, then it starts."""
    monkeypatch.setattr(supervisor_module, "LONGEST_DELAY_S", 0.01)
    supervisor, said = failing
    supervisor.start()
    keeping = supervisor.nodes["seller"]
    with monkeypatch.context() as full:
        full.setattr(supervisor_module, "configure", raising)
        full.setattr(supervisor_module, "write_atomically", raising)
        await_that(lambda: supervisor.tend("seller") is None and keeping.alarm, "the alarm")
        for _ in range(20):
            supervisor.tend("seller")
        assert "could not be started and is tried every" in str(keeping.alarm)
        assert len([words for words in said if words.startswith("ALARM")]) == 1
    await_that(lambda: supervisor.tend("seller") is None and "seller started again" in said, "a start")


def test_an_alarm_that_gets_worse_is_said(
    failing: tuple[Supervisor, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that was full and left damage: the node that was tried stays down, which nobody may miss."""
    monkeypatch.setattr(watchdog, "MAX_FAILURES", 0)
    monkeypatch.setattr(supervisor_module, "LONGEST_DELAY_S", 0.01)
    monkeypatch.setattr("geth_network.diagnosis.is_full", lambda _: not said)
    supervisor, said = failing
    supervisor.start()
    keeping = supervisor.nodes["seller"]
    await_that(lambda: supervisor.tend("seller") is None and "stays down" in str(keeping.alarm), "the end")
    first, second = [words for words in said if words.startswith("ALARM")]
    assert "is full" in first
    assert "is damaged" in second
    assert (keeping.restarts.total, keeping.start_at) == (1, None)


def test_the_patrol_s_restart_ends_no_alarm(failing: tuple[Supervisor, list[str]]) -> None:
    """Only a long enough life does, or a chain that is fetched anew."""
    supervisor, _ = failing
    supervisor.start()
    keeping = supervisor.nodes["seller"]
    keeping.alarm, keeping.restarts.failures = "seller failed", 7
    supervisor.restart("seller")
    assert (keeping.alarm, keeping.restarts.failures) == ("seller failed", 7)


def test_words_of_an_earlier_process_are_not_believed(chain: Chain, failing: tuple[Supervisor, list[str]]) -> None:
    """The disk was full yesterday; what ends the node today is told with its own words and the right advice."""
    supervisor, _ = failing
    chain.folder.log("seller").parent.mkdir(exist_ok=True)
    chain.folder.log("seller").write_text("Low disk space. Gracefully shutting down\n")
    supervisor.start()

    def refused() -> str:
        try:
            supervisor.refuse_dead()
        except NodeError as refusal:
            return str(refusal)
        return ""

    words = await_that(refused, "the refusal")
    assert WORDS in words
    assert "resync seller" in words
    assert "is full" not in words


def test_a_node_that_cannot_be_made_anew_takes_no_other_down(
    failing: tuple[Supervisor, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resync that fails is an alarm of that node; the supervisor goes on."""
    supervisor, said = failing
    monkeypatch.setattr(supervisor_module, "renew", raising)
    supervisor.nodes["seller"].start_at = 0  # it was to be tried again
    supervisor.resync("seller")
    supervisor.tend("seller")
    assert supervisor.nodes["seller"].child is None
    assert "seller could not be made anew and stays down" in str(supervisor.nodes["seller"].alarm)
    assert "No space left on device" in said[-1]


def test_a_long_log_keeps_one_older_part(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node writes on into the same file, and nothing it wrote until then is lost."""
    monkeypatch.setattr(child, "MAX_LOG_BYTES", 1_000)
    network = chain.new(sealers=1, rpc_nodes=0)
    talker = {"seller": ["sh", "-c", "printf %02000d 7; sleep 2; echo after; exec sleep 60"]}
    with chain.folder.held():
        supervisor = Supervisor(chain.folder, network, talker, say=lambda _: None, stopping=threading.Event())
        log = chain.folder.log("seller")
        try:
            supervisor.start()

            def written_on() -> bool:
                supervisor.tend("seller")
                return "after" in log.read_text()

            await_that(written_on, "the log's next line")
        finally:
            supervisor.stop()
    assert log.with_suffix(".log.1").read_text() == f"{7:02000d}"
    assert "7" not in log.read_text()
