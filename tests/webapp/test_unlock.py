"""One bounded worker opens keystores: waited for in turn, replaced when it dies, given up when it hangs."""

import os
import signal
import threading

import psutil
import pytest
from eth_account import Account
from worlds import PASSPHRASE

from webapp import unlock
from webapp.errors import Busy, WebError, WrongPassphrase
from webapp.unlock import Unlocker

KEY = Account.create().key


@pytest.fixture
def unlocker():
    """A worker of the test's own."""
    made = Unlocker(scrypt_n=1024, wait_s=0.2)
    yield made
    made.close()


def child_of(unlocker):
    """Return the worker's process."""
    return psutil.Process(unlocker._child.pid)


def test_what_is_sealed_is_opened_by_its_passphrase_alone(unlocker):
    """The same key comes out; the wrong passphrase is told apart from everything else."""
    sealed = unlocker.seal(KEY, PASSPHRASE)
    assert unlocker.unlock(sealed, PASSPHRASE) == KEY
    with pytest.raises(WrongPassphrase):
        unlocker.unlock(sealed, "another")


def test_who_waits_too_long_for_the_turn_is_told_so(unlocker):
    """While one is being served, a second is not let pile up: nothing was sent, try again."""
    sealed = unlocker.seal(KEY, PASSPHRASE)
    child = child_of(unlocker)
    child.suspend()
    first = threading.Thread(target=unlocker.unlock, args=(sealed, PASSPHRASE))
    first.start()
    while unlocker._turn.acquire(blocking=False):
        unlocker._turn.release()
    with pytest.raises(Busy, match="Nothing was sent"):
        unlocker.unlock(sealed, PASSPHRASE)
    child.resume()
    first.join(60)
    assert unlocker.unlock(sealed, PASSPHRASE) == KEY


def test_a_worker_that_dies_is_replaced(unlocker):
    """The next request gets a new one; there is one at a time."""
    sealed = unlocker.seal(KEY, PASSPHRASE)
    os.kill(child_of(unlocker).pid, signal.SIGKILL)
    unlocker._child.wait()
    assert unlocker.unlock(sealed, PASSPHRASE) == KEY
    assert child_of(unlocker).is_running()


def test_a_worker_that_does_not_answer_is_given_up(unlocker, monkeypatch):
    """A key file that would keep it busy for ever costs one request, not everybody's."""
    sealed = unlocker.seal(KEY, PASSPHRASE)
    stuck = child_of(unlocker)
    stuck.suspend()
    monkeypatch.setattr(unlock, "LONGEST_S", 0.1)
    with pytest.raises(WebError, match="Nothing was sent"):
        unlocker.unlock(sealed, PASSPHRASE)
    assert not stuck.is_running()
    monkeypatch.undo()
    assert unlocker.unlock(sealed, PASSPHRASE) == KEY
