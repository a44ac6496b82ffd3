"""One action of a built-in account: the passphrase is asked once and signs all of it, then the key is gone."""

from collections.abc import Sequence

from flask import request

from webapp.access import check_rate, count_failure
from webapp.errors import Refused, WrongPassphrase
from webapp.models import Transaction, User
from webapp.outbox import Planned
from webapp.services import services


def unlock(user: User, passphrase: str) -> bytes:
    """Return the person's private key.

    Raises:
        Refused: wrong passphrase, tried too often, or the account's key is in the person's own wallet.
    """
    if user.keystore is None:
        raise Refused("This account's key is in your own wallet: confirm there.")
    subjects = (f"name:{user.name}", f"address:{request.remote_addr}")
    check_rate(*subjects)
    try:
        return services().unlocker.unlock(user.keystore, passphrase)
    except WrongPassphrase:
        count_failure(*subjects)
        raise


def sign_and_send(user: User, passphrase: str, form: str, planned: Sequence[Planned]) -> list[Transaction]:
    """Try every call, then sign and send them all; a form sent twice is sent once.

    Raises:
        Refused: with the reason; nothing was sent.
    """
    known = services().outbox.find(user.id, form)
    if known:
        return known
    services().chain.check(user.address, *(plan.call for plan in planned))
    key = unlock(user, passphrase)
    return services().outbox.submit(user.id, key, form, planned)
