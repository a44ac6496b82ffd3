"""A revocation list that cannot be trusted closes the door to certificates, says why, and a good one opens it."""

from datetime import timedelta
from pathlib import Path

from tests.proxy.authority import Authority
from tests.proxy.running import Running, ask, await_until, basic, rpc

CHAIN_ID = rpc("eth_chainId")


def test_bad_list_fails_closed_and_a_good_one_opens_again(gateway: Running) -> None:
    """Garbage, then expired: certificates are refused, users are served, /healthz says what is wrong."""
    identity = gateway.admit("gate-9")
    secret = gateway.admin("POST", "/users", {"name": "pi"})[1]["secret"]
    crl = gateway.authority.crl
    for spoil, words in (
        (lambda: crl.write_bytes(b"garbage"), "is not a revocation list"),
        (lambda: gateway.authority.write_crl(timedelta(days=-1)), "has expired"),
    ):
        spoil()
        await_until(lambda words=words: words in gateway.health()["trouble"], "a health that says why")
        assert gateway.status("/healthz")[0] == 503
        await_until(lambda: ask(gateway.devices(identity), CHAIN_ID).status == 403, "the closed door")
        await_until(lambda: _reason(gateway, identity) == "revocation_list", "its reason")
        assert ask(gateway.devices(), CHAIN_ID, Authorization=basic("pi", secret)).status == 200
        gateway.authority.write_crl()
        await_until(lambda: gateway.status("/healthz")[0] == 200, "the end of the trouble")
        await_until(lambda: ask(gateway.devices(identity), CHAIN_ID).status == 200, "the open door")


def _reason(gateway: Running, identity: object) -> str | None:
    answer = ask(gateway.devices(identity), CHAIN_ID)
    return answer.reason if answer.status != 200 else None


def test_a_new_authority_beside_the_old_one_keeps_the_door_open(gateway: Running, tmp_path: Path) -> None:
    """Devices of both are served, each list counts for its own; a list that lacks is said."""
    old, new = gateway.authority, Authority(tmp_path / "new", "Lading new CA")
    before, revoked = gateway.admit("gate-1"), gateway.admit("gate-2")
    old.ca.write_bytes(new.ca.read_bytes() + old.ca.read_bytes())
    complaint = gateway.command("check")
    assert (complaint.returncode, "is not signed by" in complaint.stderr) == (1, True)
    old.revoke(revoked)
    old.crl.write_bytes(new.crl.read_bytes() + old.crl.read_bytes())
    after = new.issue("gate-3")
    assert gateway.admin("POST", "/devices", {"name": "gate-3", "serial": after.serial})[0] == 201
    await_until(lambda: ask(gateway.devices(after), CHAIN_ID).status == 200, "the new authority's device")
    assert ask(gateway.devices(before), CHAIN_ID).status == 200
    await_until(lambda: ask(gateway.devices(revoked), CHAIN_ID).status == 403, "the old authority's list in force")
