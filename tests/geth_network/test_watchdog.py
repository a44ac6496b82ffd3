"""The watchdog's decisions, without a chain."""

import pytest

from geth_network.rpc import Head
from geth_network.watchdog import LONG_WAY, MAX_FAILURES, Ascent, Nudge, Restarts, Solitude, StallWatch, View


def head(number: int, block_hash: str, difficulty: int | None = None) -> Head:
    """A head of this number."""
    return Head(number, block_hash, 0, difficulty or 2 * number)


def stuck(in_reach: int = 2) -> View:
    """Two sealers on heads of their own."""
    return View({"a": head(9, "x"), "b": head(9, "y")}, frozenset(), in_reach)


def watch() -> StallWatch:
    """Three sealers, two of them ours, quiet for 5 s counts."""
    return StallWatch(3, {"a": 0, "b": 2}, quiet_s=5)


def test_restarts_slow_down_and_end() -> None:
    """Delays double; a node that keeps failing stays down."""
    restarts = Restarts()
    delays = [restarts.next_delay_s(0.5) for _ in range(MAX_FAILURES + 1)]
    assert delays == [1, 2, 4, 8, 16, 30, None]


def test_a_node_that_lived_long_starts_from_the_first_delay() -> None:
    """Failures in a row are those without a steady time between them."""
    restarts = Restarts()
    for _ in range(4):
        restarts.next_delay_s(1)
    assert restarts.next_delay_s(3600) == 1


def test_one_sealer_is_taken_back_and_not_twice_in_a_row() -> None:
    """The lowest rank acts after quiet + 5 s; the next one waits its whole time; nobody acts again."""
    decisions, stall = {}, watch()
    for second in range(100):
        if name := stall.look(stuck(), 1000 + second):
            decisions[second] = name
    assert decisions == {10: "a", 30: "b"}


def test_a_block_in_time_keeps_everybody_still() -> None:
    """While heads rise, nothing is decided."""
    stall = watch()
    for second in range(100):
        view = View({"a": head(second, f"x{second}"), "b": head(second, "y")}, frozenset(), 3)
        assert stall.look(view, 1000 + second) is None


@pytest.mark.parametrize(
    "view",
    [
        View({"a": head(9, "x"), "b": head(9, "x")}, frozenset({"x"}), 3),
        View({"a": head(9, "x"), "b": head(9, "y")}, frozenset(), 1),
        View({}, frozenset(), 0),
    ],
    ids=["heads agree", "no majority in reach", "nobody answers"],
)
def test_not_sure_means_no_act(view: View) -> None:
    """A standing chain alone is no deadlock: too many dead, or everybody of one mind."""
    stall = watch()
    assert [stall.look(view, 1000 + second) for second in range(100)] == [None] * 100


def test_a_conflicting_head_of_another_member_counts() -> None:
    """With one sealer on this machine, peers' announced heads show the conflict."""
    stall = StallWatch(3, {"a": 0}, quiet_s=5)
    view = View({"a": head(9, "x")}, frozenset({"y"}), 2)
    assert [s for s in range(30) if stall.look(view, 1000 + s)] == [10]


def test_two_members_never_act_at_once() -> None:
    """Ranks are 5 s apart, and who sees the chain move begins anew."""
    first, second = StallWatch(3, {"a": 0}, 5), StallWatch(3, {"b": 1}, 5)
    acts = [(s, w) for s in range(14) for w in (first, second) if w.look(stuck(), 1000 + s)]
    assert acts == [(10, first)]
    assert second.look(View({"b": head(10, "z")}, frozenset(), 3), 1014) is None


def test_members_that_were_apart_count_from_their_meeting() -> None:
    """After a long partition nobody acts at first sight, and still one before the other."""
    first, second = StallWatch(3, {"a": 0}, 5), StallWatch(3, {"b": 1}, 5)
    apart = View({"a": head(9, "x"), "b": head(9, "x")}, frozenset(), 1)
    for second_of_it in range(100):
        assert not any(watch.look(apart, 1000 + second_of_it) for watch in (first, second))
    acts = [(s, w) for s in range(14) for w in (first, second) if w.look(stuck(), 1100 + s)]
    assert acts == [(9, first)]


def test_a_chain_that_stands_still_is_nudged_each_quiet_time() -> None:
    """A majority in reach and no block: again and again; not before, and not while blocks come."""
    nudge = Nudge(5)
    view = View({"a": head(9, "x"), "b": head(9, "x")}, frozenset(), 2)
    assert [s for s in range(20) if nudge.look(view, 3, 1000 + s)] == [5, 10, 15]
    moving = (View({"a": head(10 + s, f"x{s}")}, frozenset(), 2) for s in range(20))
    assert not any(nudge.look(view, 3, 1020 + s) for s, view in enumerate(moving))


def test_without_a_majority_nobody_is_nudged() -> None:
    """Too many dead is not the sealers' fault; the time begins when they are back."""
    nudge = Nudge(5)
    alone = View({"a": head(9, "x")}, frozenset(), 1)
    assert not any(nudge.look(alone, 3, 1000 + s) for s in range(50))
    together = View({"a": head(9, "x")}, frozenset(), 2)
    assert [s for s in range(8) if nudge.look(together, 3, 1050 + s)] == [4]


def test_sealers_go_back_half_and_one() -> None:
    """⌊N/2⌋ + 1 blocks free a sealer to seal again."""
    assert [StallWatch(n, {}, 5).blocks_back() for n in (1, 3, 5, 7)] == [1, 2, 3, 4]


def yes() -> bool:
    """A missing peer accepts connections."""
    return True


def test_a_lonely_sealer_restarts_ever_more_seldom() -> None:
    """The patience doubles while restarts bring nothing, and is fresh after company."""
    solitude = Solitude(5)
    assert not any(solitude.look(False, s, yes) for s in range(-100, -1)), "it was never let in"
    assert not solitude.look(True, -1, yes)
    assert [s for s in range(40) if solitude.look(False, s, yes)] == [5, 15, 35]
    assert not solitude.look(True, 40, yes)
    assert [s for s in range(41, 50) if solitude.look(False, s, yes)] == [46]


def test_after_any_time_alone_the_first_sound_counts() -> None:
    """However long the cable was out: once a peer is heard, the sealer starts again at once."""
    solitude = Solitude(5)
    solitude.look(True, 0, yes)
    assert not any(solitude.look(False, s, lambda: False) for s in range(1, 500))
    assert solitude.look(False, 500, yes)


def test_a_node_that_has_fetched_a_long_chain_starts_once_anew() -> None:
    """Not on the way, not twice, not for a short way."""
    ascent = Ascent()
    assert not ascent.look(5, at_head=False)
    assert not ascent.look(LONG_WAY + 5, at_head=False)
    assert ascent.look(LONG_WAY + 5, at_head=True)
    assert not ascent.look(LONG_WAY + 5, at_head=True)
    assert not ascent.look(LONG_WAY + 6, at_head=False)
    assert not ascent.look(2 * LONG_WAY + 5, at_head=True)


@pytest.mark.parametrize("next_look", [LONG_WAY + 5, 50 * LONG_WAY])
def test_a_node_that_was_at_the_head_goes_on(next_look: int) -> None:
    """However many blocks it lived through, and however long the watchdog itself was not looking."""
    ascent = Ascent()
    assert not ascent.look(5, at_head=True)
    assert not ascent.look(next_look, at_head=True)
