"""The command lading-gateway: answers, refusals, and a running gateway that a bad change leaves untouched."""

import json
import os
import signal
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.proxy.authority import Authority, Identity
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, await_until, rpc

CHAIN_ID = rpc("eth_chainId")


def test_status_says_where_it_listens_and_what_it_serves(shared: Running) -> None:
    """As ready.json, with the health."""
    await_until(lambda: shared.health()["ok"], "health")
    answer = json.loads(shared.command("status", "--json").stdout)
    assert {key: answer[key] for key in shared.ready} == shared.ready
    assert set(answer["health"]) == {"ok", "nginx", "nodes", "trouble"}


def test_device_and_user_are_added_listed_and_removed(shared: Running) -> None:
    """The same as over the admin socket."""
    assert json.loads(shared.command("device", "add", "cli-1", "0A:FF", "--json").stdout) == {
        "name": "cli-1",
        "serial": "0AFF",
    }
    listed = json.loads(shared.command("device", "list", "--json").stdout)["devices"]
    assert {"name": "cli-1", "serial": "0AFF"} in listed
    assert shared.command("device", "remove", "cli-1").returncode == 0
    again = shared.command("device", "remove", "cli-1")
    assert (again.returncode, again.stderr) == (1, "lading-gateway: there is no device cli-1\n")


NONSENSE: list[tuple[str, str, dict[str, Any] | None, int, str]] = [
    ("POST", "/devices", {"name": "gate-1", "serial": "99"}, 409, "already_admitted"),
    ("POST", "/devices", {"name": "other", "serial": "SERIAL"}, 409, "already_admitted"),
    ("POST", "/devices", {"name": "x"}, 400, "bad_request"),
    ("POST", "/devices", {"name": "x", "serial": 7}, 400, "bad_request"),
    ("POST", "/devices", {"name": "x", "serial": "zz"}, 400, "bad_request"),
    ("POST", "/devices", {"name": "x", "serial": "1" * 41}, 400, "bad_request"),
    ("POST", "/devices", {"name": "x y", "serial": "1"}, 400, "bad_request"),
    ("POST", "/devices", {"name": "x;}", "serial": "1"}, 400, "bad_request"),
    ("POST", "/devices", {"name": "x\n", "serial": "1"}, 400, "bad_request"),
    ("POST", "/devices", {"name": "", "serial": "1"}, 400, "bad_request"),
    ("POST", "/devices", {"name": "x" * 65, "serial": "1"}, 400, "bad_request"),
    ("POST", "/users", {"name": "a:b"}, 400, "bad_request"),
    ("DELETE", "/devices/nobody", None, 404, "unknown"),
    ("DELETE", "/users/nobody", None, 404, "unknown"),
    ("GET", "/secrets", None, 404, "unknown"),
    ("POST", "/elsewhere", None, 404, "unknown"),
]


@pytest.mark.parametrize("asked", NONSENSE, ids=lambda asked: f"{asked[1]}-{asked[4]}")
def test_admin_request_that_makes_no_sense_is_refused(
    shared: Running, device: Identity, asked: tuple[str, str, dict[str, Any] | None, int, str]
) -> None:
    """With a status and a code, and nothing changes."""
    method, target, body, status, code = asked
    before = shared.admin("GET", "/devices")
    if body and body.get("serial") == "SERIAL":
        body = {**body, "serial": device.serial}
    got, answer = shared.admin(method, target, body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert shared.admin("GET", "/devices") == before


def test_repeated_admission_answers_the_same(shared: Running) -> None:
    """So that an interrupted provisioning can go on: 201, then 200."""
    facts = {"name": "twice", "serial": "00abc"}
    assert shared.admin("POST", "/devices", facts) == (201, {"name": "twice", "serial": "0ABC"})
    assert shared.admin("POST", "/devices", facts) == (200, {"name": "twice", "serial": "0ABC"})


def test_state_is_private_and_workers_are_unprivileged(shared: Running) -> None:
    """Secrets 0600, the socket 0600, folders 0700; root starts workers as nobody."""
    files = [path for path in shared.folder.rglob("*") if path.name.endswith((".key", ".json", ".map"))]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((shared.folder / "admin.sock").stat().st_mode) == 0o600
    assert stat.S_IMODE(shared.folder.stat().st_mode) == 0o700
    wanted = "nobody" if os.geteuid() == 0 else psutil.Process().username()
    workers = [
        child
        for child in psutil.Process(shared.ready["pid"]).children(recursive=True)
        if "worker" in child.cmdline()[0]
    ]
    assert {worker.username() for worker in workers} == {wanted}


@pytest.mark.parametrize("letter", ['"', "'", "\\", "$", "\n"])
def test_a_path_that_nginx_cannot_say_is_refused(
    home: Path, authority: Authority, shared_node: Node, letter: str
) -> None:
    """The run folder and the folder of an include file; nothing is made in either."""
    unsayable = home / f"a{letter}b"
    unsayable.mkdir()
    gateway = Running(unsayable, authority, [shared_node.url])
    gateway.configure()
    for command in ("check", "certificate", "up"):
        refused = gateway.command(command)
        assert (refused.returncode, "LADING_HOME moves the run folder" in refused.stderr) == (1, True), refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert {path.name for path in unsayable.iterdir()} == {"lading.toml", "selectors.json"}
    good = Running(home, authority, [shared_node.url])
    good.configure()
    refused = good.command("render", str(unsayable / "included"))
    assert (refused.returncode, "nginx's configuration cannot say" in refused.stderr) == (1, True), refused.stderr
    assert not (unsayable / "included").exists()


def test_any_other_path_is_said_rightly(home: Path, authority: Authority, shared_node: Node) -> None:
    """What has a meaning in nginx's language outside of quotes, and letters beyond ASCII."""
    odd = home / "an {a}; #1 ~ 100% ü"
    odd.mkdir()
    gateway = Running(odd, authority, [shared_node.url])
    gateway.up()
    try:
        assert ask(gateway.wallets(), CHAIN_ID).status == 200
    finally:
        gateway.down()


def test_second_gateway_in_the_same_folder_is_refused(shared: Running) -> None:
    """In words, and the first goes on."""
    second = shared.command("up")
    assert second.returncode == 1
    assert "a gateway runs already" in second.stderr
    assert ask(shared.wallets(), CHAIN_ID).status == 200


def test_commands_without_a_gateway_say_so(home: Path) -> None:
    """No traceback."""
    nobody = Running(home, Authority(home / "ca"), ["http://127.0.0.1:9"])
    nobody.configure()
    for arguments in (["status"], ["down"], ["reload"], ["device", "list"], ["user", "add", "x"]):
        done = nobody.command(*arguments)
        assert done.returncode == 1
        assert "no gateway runs" in done.stderr
    assert nobody.command("nonsense").returncode == 2


def edit(name: str, value: Any) -> Callable[[Running], None]:
    """A change of one setting."""
    return lambda gateway: gateway.configure(**{name: value})


def damage(name: str, content: bytes | None) -> Callable[[Running], None]:
    """A setting that names a file of this content, or none."""

    def change(gateway: Running) -> None:
        path = gateway.home / (f"bad-{name}" if content is not None else f"missing-{name}")
        if content is not None:
            path.write_bytes(content)
        gateway.configure(**{name: str(path)})

    return change


BAD: dict[str, tuple[Callable[[Running], None], str]] = {
    "upstream-scheme": (edit("upstreams", ["ftp://127.0.0.1:1"]), "must be http://host:port"),
    "upstream-port": (edit("upstreams", ["http://127.0.0.1:99999"]), "the port makes no sense"),
    "upstream-path": (edit("upstreams", ["http://127.0.0.1:1/x"]), "must be http://host:port"),
    "upstream-injection": (edit("upstreams", ["http://127.0.0.1:1;}"]), "makes no sense"),
    "upstream-unknown": (edit("upstreams", ["http://no-such-host.invalid:1"]), "host not found"),
    "upstream-none": (edit("upstreams", []), "upstreams"),
    "certificate-missing": (damage("certificate", None), "No such file or directory; get it by lading-gateway"),
    "certificate-garbage": (damage("certificate", b"garbage"), "is not a certificate"),
    "key-garbage": (damage("key", b"garbage"), "is not a private key"),
    "ca-garbage": (damage("client_ca", b"garbage"), "is not a certificate"),
    "crl-garbage": (damage("client_crl", b"garbage"), "is not a revocation list"),
    "crl-missing": (damage("client_crl", None), "No such file"),
    "selectors-garbage": (damage("selectors_file", b"garbage"), "is not JSON"),
    "selectors-empty": (damage("selectors_file", b"[]"), "must be a list"),
    "selectors-wrong": (damage("selectors_file", b'["0x12345678", "nope"]'), "'nope' is not a selector"),
    "origin-injection": (edit("wallet_origins", ['http://x" $y; }']), "wallet_origins"),
    "unknown-setting": (edit("upstream", ["x"]), "upstream"),
    "web-beyond-loopback": (edit("web_upstream", "http://192.0.2.1:8080"), "web_upstream"),
    "rate-zero": (edit("device_rate", 0), "device_rate"),
}


@pytest.fixture
def edited(shared: Running) -> Any:
    """The shared gateway, whose settings are put back afterwards."""
    before = dict(shared.settings)
    yield shared
    shared.settings = before
    shared.configure()


@pytest.mark.parametrize("name", BAD)
def test_bad_change_is_refused_by_check_and_reload_and_leaves_the_running_gateway_untouched(
    edited: Running, name: str
) -> None:
    """Refused in words before nginx hears of it; the service goes on."""
    change, words = BAD[name]
    workers = psutil.Process(edited.ready["pid"]).children(recursive=True)
    change(edited)
    status, answer = edited.admin("POST", "/reload")
    assert status == 400
    assert words in answer["error"]["message"]
    checked = edited.command("check")
    assert checked.returncode == 1
    assert words in checked.stderr
    assert psutil.Process(edited.ready["pid"]).children(recursive=True) == workers
    assert ask(edited.wallets(), CHAIN_ID).status == 200


def test_check_accepts_what_is_in_force(shared: Running) -> None:
    """And warns of nothing but a key that others can read."""
    fine = shared.command("check", "--json")
    assert (fine.returncode, json.loads(fine.stdout)) == (0, {"ok": True, "warnings": []})
    key = Path(shared.settings["key"])
    key.chmod(0o644)
    open_handed = shared.command("check")
    key.chmod(0o600)
    assert (open_handed.returncode, f"{key} can be read by others" in open_handed.stderr) == (0, True)


def test_check_refuses_a_foreign_or_expired_list_and_a_foreign_key(edited: Running) -> None:
    """Signed by another CA, past its time, or not the certificate's own."""
    foreign = Authority(edited.home / "foreign-check")
    edited.configure(client_crl=str(foreign.crl))
    assert "not signed by the CA" in edited.command("check").stderr
    stale = Authority(edited.home / "stale-check")
    stale.write_crl(timedelta(days=-1))
    edited.configure(client_ca=str(stale.ca), client_crl=str(stale.crl))
    assert "has expired" in edited.command("check").stderr
    edited.configure(client_ca=str(edited.authority.ca), client_crl=str(edited.authority.crl))
    edited.configure(key=str(foreign.issue("x").key))
    assert "does not belong to" in edited.command("check").stderr


def test_taken_port_is_said_in_words_before_anything_starts(home: Path, shared_node: Node) -> None:
    """By check and by up."""
    waiting = Running(home, Authority(home / "ca"), [shared_node.url])
    waiting.configure(wallets_port=shared_node.server_port)
    for command in ("check", "up"):
        done = waiting.command(command)
        assert done.returncode == 1
        assert f"wallets: cannot listen on 127.0.0.1:{shared_node.server_port}" in done.stderr
    assert not (waiting.folder / "ready.json").exists()


def test_dead_nginx_is_started_again_and_a_killed_gateway_leaves_nothing(gateway: Running) -> None:
    """On the same ports; then the whole process is killed, and a new one can start in the same folder."""
    identity = gateway.admit("gate-9")
    process = psutil.Process(gateway.ready["pid"])
    master = process.children()[0]
    orphans = master.children()
    master.kill()
    # The orphans serve on until the gateway has noticed.
    await_until(lambda: not any(orphan.is_running() for orphan in orphans), "the end of the dead one's workers")
    await_until(lambda: _served(gateway, identity), "nginx again")
    family = process.children(recursive=True)
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.communicate()
    await_until(lambda: not any(process.is_running() for process in family), "the end of nginx")
    gateway.up()
    assert ask(gateway.devices(identity), CHAIN_ID).status == 200


def test_workers_that_lost_gateway_and_master_at_once_end_with_the_next_start(gateway: Running) -> None:
    """They hold the ports and would serve with the lists of yesterday."""
    identity = gateway.admit("gate-10")
    assert gateway.process is not None
    master = psutil.Process(gateway.ready["pid"]).children()[0]
    workers = master.children()
    gateway.process.send_signal(signal.SIGSTOP)  # so that it cannot revive what dies first
    master.kill()
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.communicate()
    assert all(worker.is_running() for worker in workers)
    gateway.up()
    await_until(lambda: not any(worker.is_running() for worker in workers), "the end of the workers")
    assert _served(gateway, identity)


def _served(gateway: Running, identity: Identity) -> bool:
    try:
        return ask(gateway.devices(identity), CHAIN_ID).status == 200
    except OSError:
        return False
