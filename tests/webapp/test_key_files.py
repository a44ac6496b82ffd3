"""A key comes and goes as a key file; the passphrase changes, the address does not."""

import hashlib
import json
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from eth_account import Account
from eth_utils.crypto import keccak
from worlds import PASSPHRASE

from webapp.models import User

KEY = Account.create()
OLD = "short"
KEPT = Account.encrypt(KEY.key, OLD, kdf="scrypt", iterations=1024)


def key_file(**changes):
    """Return a key file as another wallet would export it."""
    return json.dumps({**KEPT, **changes}).encode()


def with_work(**changes):
    """Return a key file that asks for other work."""
    crypto = KEPT["crypto"]
    return key_file(crypto={**crypto, "kdfparams": {**crypto["kdfparams"], **changes}})


def sealed(secret):
    """Return a well-formed key file that opens with the passphrase, around any bytes."""
    crypto = KEPT["crypto"]
    facts = crypto["kdfparams"]
    salt, iv = bytes.fromhex(facts["salt"]), bytes.fromhex(crypto["cipherparams"]["iv"])
    derived = hashlib.scrypt(OLD.encode(), salt=salt, n=facts["n"], r=facts["r"], p=facts["p"], dklen=32)
    stream = Cipher(algorithms.AES(derived[:16]), modes.CTR(iv.rjust(16, b"\0"))).encryptor()
    text = stream.update(secret) + stream.finalize()
    return key_file(crypto={**crypto, "ciphertext": text.hex(), "mac": keccak(derived[16:] + text).hex()})


def bring(someone, content, turn=0, **changes):
    """Send the form; each turn from another place, so that no limit is reached."""
    page = "/sign-up/key-file"
    fields = {"name": "traveller", "old": OLD, "passphrase": PASSPHRASE, "again": PASSPHRASE, **changes}
    data = {**someone.tokens(someone.page(page)), **fields, "keystore": (BytesIO(content), "key.json")}
    place = {"REMOTE_ADDR": f"192.0.2.{turn}"}
    return someone.client.post(page, data=data, content_type="multipart/form-data", environ_overrides=place)


@pytest.mark.row("T5")
def test_a_key_file_of_another_wallet_becomes_an_account(world, browser):
    """The same address, encrypted anew; the new passphrase opens it, here and in the export."""
    someone = browser()
    assert bring(someone, key_file()).status_code == 303
    assert KEY.address in someone.page("/account")
    again = browser().sign_in("traveller")
    assert Account.decrypt(again.client.get("/account/key").json, PASSPHRASE) == KEY.key
    assert "already has an account" in bring(browser(), key_file(), name="twin").text


NO_KEY_FILES = [
    (b"", {}, "no key file"),
    (b"not json", {}, "no key file"),
    (b"[]", {}, "no key file"),
    (b"{" * 9000, {}, "no key file"),
    (b"x" * 20_000, {}, "too large"),
    (key_file(version=1), {}, "version-3"),
    (b"[" * 16_000, {}, "no key file"),
    (with_work(n=2**30), {}, "more work"),
    (with_work(p=2**40), {}, "more work"),
    (with_work(dklen=2**28), {}, "more work"),
    (with_work(n=-2), {}, "no key file"),
    (with_work(n=float("inf")), {}, "no key file"),
    (with_work(r="8"), {}, "no key file"),
    (key_file(crypto={**KEPT["crypto"], "cipherparams": {}}), {}, "cannot be read"),
    (key_file(crypto={**KEPT["crypto"], "ciphertext": 5}), {}, "cannot be read"),
    (sealed(b"\0" * 32), {}, "cannot be read"),
    (sealed(b"\1" * 31), {}, "cannot be read"),
    (key_file(), {"old": "wrong"}, "does not open this file"),
    (key_file(), {"passphrase": "short", "again": "short"}, "characters"),
    (key_file(), {"again": "another"}, "not the same"),
    (key_file(), {"name": "seller"}, "taken"),
    (key_file(), {"name": "SELLER"}, "taken"),
    (key_file(), {"name": "s\u0435ller"}, "one alphabet"),
]  # fmt: skip


def test_what_is_no_key_file_is_refused_in_words(world, browser):
    """Beside its field; no account is made."""
    for turn, (content, changes, words) in enumerate(NO_KEY_FILES):
        answer = bring(browser(), content, turn, **changes)
        assert answer.status_code == 400, (turn, words)
        assert words in answer.text, (turn, words)
    with world.parts.database.read() as session:
        assert session.query(User).filter_by(address=KEY.address).count() == 0


def test_the_key_file_opens_with_the_passphrase_and_the_passphrase_can_change(world, browser):
    """Export is a real keystore; after a change only the new passphrase opens the account."""
    someone = browser("buyer")
    keystore = someone.client.get("/account/key").json
    assert Account.decrypt(keystore, PASSPHRASE) == world.keys["buyer"]
    fresh = {"passphrase": PASSPHRASE, "fresh": "a new passphrase", "again": "a new passphrase"}
    assert someone.post("/account/passphrase", fresh, page="/account").status_code == 303
    browser("").sign_in("buyer", "a new passphrase")
    with world.parts.database.read() as session:
        assert Account.decrypt(session.query(User).filter_by(name="buyer").one().keystore, "a new passphrase")
