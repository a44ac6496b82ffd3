"""Exactly once, measured: Pis are killed at every act, messages doubled and reordered, and openings counted.

    python -m tests.iot_client.chaos [--releases 48] [--doors 4] [--seed 1] [--calm]

Half of the deaths are power cuts: what was not synced is gone (`power.py`). Meanwhile broker, service, gateway and
node go away at random (`weather.py`), unless it is calm. The counts come from the simulated door itself, which lives
in a file and knows what really happened; the Pis see only what its sensor shows.
"""

from __future__ import annotations

import argparse
import collections
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.sale import Sale
from iot_client.gate.simulated import set_mode
from tests.contracts.nodes import Node, anvil
from tests.contracts.world import World
from tests.iot_client import power
from tests.iot_client.faults import POINTS
from tests.iot_client.warehouse import PATIENCE_S, Door, Warehouse, wait_until
from tests.iot_client.weather import Forwarder, Weather
from tests.iot_client.zygote import Zygote
from tests.iot_cloud.running import RunningCloud

SHOW_EVERY_S = 8.0
QUICK = {"open_within_s": 20.0, "abort_after_s": 1.0, "sense_within_s": 3.0, "pulse_s": 0.2, "resend_s": 0.5}
ENDS = {"completed", "aborted", "case", "refused"}


@dataclass(frozen=True)
class Trial:
    """One order, and what is done to the Pi that releases it."""

    sale: Sale
    text: str
    fault: str
    mode: str
    comes_back: bool
    power: bool


@dataclass(frozen=True)
class Outcome:
    """What became of it: by the journal, by the chain, and by the door itself."""

    fault: str
    mode: str
    died: bool
    power: bool
    journal: str
    chain: str
    openings: int
    pulses: int
    handed_over: bool
    late: bool

    @property
    def wrong(self) -> str:
        """What must not be, in words; empty if all is well."""
        if self.openings > 1 or self.pulses > 1:
            return "opened twice"
        if self.late:
            return "opened late"
        agree = {"completed": ("RELEASED", 1), "aborted": ("SOLD", 0)}
        if self.journal not in agree:
            return f"ended as {self.journal}"
        return "" if agree[self.journal] == (self.chain, self.openings) else "journal, chain and door disagree"


def run_trial(door: Door, trial: Trial) -> Outcome:
    """Release once under this fault, restart, and wait until it is settled; a case is settled by who saw the door."""
    before = door.gate() if (door.folder / "gate.json").exists() else {"openings": 0, "pulses": 0}
    set_mode(door.folder / "gate.json", trial.mode)
    door.start(trial.fault, **QUICK)
    _show_until(door, trial, lambda: _died(door) or _state(door, trial.sale) in ENDS)
    died = _died(door)
    if died:
        if trial.power:
            power.cut(door.folder)
        door.start(**QUICK)
    if trial.comes_back:
        door.show(trial.text)
    _show_until(door, trial, lambda: _state(door, trial.sale) in ENDS)
    handed_over = _state(door, trial.sale) == "case"
    if handed_over:
        _settle(door, trial.sale, opened=door.gate()["openings"] > before["openings"])
    set_mode(door.folder / "gate.json", "ok")
    wait_until(lambda: door.gate()["state"] == "LOCKED", "the gate locks")
    outcome = _outcome(door, trial, before, died=died, handed_over=handed_over)
    door.stop()
    return outcome


def _show_until(door: Door, trial: Trial, ended: Callable[[], bool]) -> None:
    """Show the voucher, and again every few seconds while this door holds no release of it, as people do."""
    began = time.monotonic()
    shown_at = float("-inf")
    while not ended():
        if _state(door, trial.sale) is None and time.monotonic() - shown_at > SHOW_EVERY_S and not _died(door):
            shown_at = time.monotonic()
            door.show(trial.text)
        assert time.monotonic() - began < 2 * PATIENCE_S, f"no end after {trial.fault}:\n{door.said()}"
        time.sleep(0.05)


def _died(door: Door) -> bool:
    return door.process is not None and door.process.poll() is not None


def _state(door: Door, sale: Sale) -> str | None:
    found = door.release(sale) if (door.folder / "journal.sqlite").exists() else None
    return str(found["state"]) if found else None


def _settle(door: Door, sale: Sale, *, opened: bool) -> None:
    outcome = door.order("opened" if opened else "not-opened", sale, reason="looked at the camera")
    assert outcome == "done", outcome
    wait_until(lambda: _state(door, sale) in {"completed", "aborted"}, "the settlement")


def _outcome(door: Door, trial: Trial, before: dict[str, Any], *, died: bool, handed_over: bool) -> Outcome:
    release = door.release(trial.sale)
    assert release is not None
    intents = [step["at"] for step in release["steps"] if step["state"] == "intent"]
    after = door.gate()
    return Outcome(
        trial.fault, trial.mode, died, died and trial.power, release["state"], trial.sale.status().name,
        after["openings"] - before["openings"], after["pulses"] - before["pulses"], handed_over,
        any(at >= release["open_before"] for at in intents),
    )  # fmt: skip


def plan(warehouse: Warehouse, releases: int, seed: int) -> list[Trial]:
    """Trials over every fault point in turn; gate modes and who comes back by the seed."""
    dice = random.Random(seed)
    trials = []
    for number in range(releases):
        sale = warehouse.world.sold()
        fault = POINTS[number % len(POINTS)]
        # The first round is the plain one: every fault point with a gate that works.
        mode = "ok" if number < len(POINTS) else dice.choices(("ok", "stick", "late", "jam"), (6, 1, 1, 1))[0]
        comes_back, cut = dice.random() < 0.5, dice.random() < 0.5
        trials.append(Trial(sale, warehouse.voucher(sale), fault, mode, comes_back, cut))
    return trials


def run(warehouse: Warehouse, trials: list[Trial], doors: int) -> list[Outcome]:
    """All trials, on this many doors side by side."""
    rows = [warehouse.door(f"chaos-{number}", start=False) for number in range(doors)]
    for row in rows:
        row.environment = row.environment | power.watched(row.folder)

    def serve(number: int) -> list[Outcome]:
        return [run_trial(rows[number], trial) for trial in trials[number::doors]]

    with ThreadPoolExecutor(doors) as pool:
        return [outcome for found in pool.map(serve, range(doors)) for outcome in found]


def table(outcomes: list[Outcome]) -> str:
    """The counts, a line each."""
    ends = collections.Counter(f"{one.journal}{', by the operator' if one.handed_over else ''}" for one in outcomes)
    wrong = collections.Counter(one.wrong for one in outcomes if one.wrong)
    kills, cuts = sum(one.died for one in outcomes), sum(one.power for one in outcomes)
    lines = [f"releases {len(outcomes)}, kills {kills}, of them power cuts {cuts}"]
    lines += [f"  {name:32} {count}" for name, count in sorted(ends.items())]
    for name in ("opened twice", "opened late", "journal, chain and door disagree"):
        lines.append(f"  {name:32} {wrong.pop(name, 0)}")
    return "\n".join([*lines, *(f"  {name:32} {count}" for name, count in wrong.items())])


def main() -> int:
    """Run and print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, default=2 * len(POINTS))
    parser.add_argument("--doors", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calm", action="store_true", help="kill nothing but the Pis")
    chosen = parser.parse_args()
    folder, ended = Path(tempfile.mkdtemp(prefix="lx", dir="/tmp")), threading.Event()
    with anvil(folder, chain_id=20261128) as node:
        cloud = RunningCloud.start(requests_per_s=1000, burst=1000, order="random", duplicates=0.3)
        zygote, gateway = Zygote(power.build(folder)), Forwarder(int(node.url.rsplit(":", 1)[1]))
        warehouse = Warehouse(World.build(node, folder / "deployments.json"), cloud, zygote, chain_url=gateway.url)
        trials = plan(warehouse, chosen.releases, chosen.seed)
        threading.Thread(target=_mine, args=(node, ended), daemon=True).start()
        weather = Weather(cloud, gateway, node_pid(node), chosen.seed)
        try:
            with weather_of(weather, calm=chosen.calm):
                outcomes = run(warehouse, trials, chosen.doors)
        finally:
            warehouse.remove()
            ended.set()
            gateway.close()
            zygote.close()
            cloud.remove()
    print(f"killed or frozen meanwhile: {dict(weather.counts)}")
    print(table(outcomes))
    for one in outcomes:
        if one.wrong:
            print(one)
    return 1 if any(one.wrong for one in outcomes) else 0


@contextmanager
def weather_of(weather: Weather, *, calm: bool) -> Iterator[None]:
    """Blows, unless it is calm."""
    if calm:
        yield
        return
    weather.start()
    try:
        yield
    finally:
        weather.stop()


def node_pid(node: Node) -> int:
    """The process that listens where the node answers."""
    port = int(node.url.rsplit(":", 1)[1])
    command = ["ss", "-Htlnp", f"sport = :{port}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"pid=(\d+)", said)
    assert found, said
    return int(found[1])


def _mine(node: Node, ended: threading.Event) -> None:
    while not ended.wait(0.25):
        node.rpc("evm_mine")


if __name__ == "__main__":
    sys.exit(main())
