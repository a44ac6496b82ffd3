"""The rule for laggards and silent nodes."""

from proxy.health import Health, observe

A, B = "http://a:1", "http://b:1"


def after(*polls: tuple[int | None, int | None], lag: int = 1) -> Health:
    """The health of two nodes after these polls."""
    health = Health()
    for first, second in polls:
        health = observe(health, {A: first, B: second}, lag)
    return health


def test_nodes_within_the_allowance_both_serve() -> None:
    """One block apart is propagation."""
    assert after((10, 9), (11, 11)).down == set()


def test_laggard_is_out_at_once() -> None:
    """After one poll."""
    assert after((10, 8)).down == {B}


def test_silent_node_is_out_after_two_polls() -> None:
    """One missed answer is a busy machine."""
    assert after((10, 10), (10, None)).down == set()
    assert after((10, 10), (10, None), (11, None)).down == {B}


def test_node_is_back_after_two_good_polls() -> None:
    """One good answer may be luck."""
    assert after((10, 8), (10, 10)).down == {B}
    assert after((10, 8), (10, 10), (11, 11)).down == set()


def test_while_no_node_answers_the_list_stays_as_it_is() -> None:
    """Nobody is locked out for being silent together."""
    health = after((10, 10), (None, None), (None, None), (None, None))
    assert health.down == set()
    assert not health.answering


def test_first_node_to_come_back_serves_at_once() -> None:
    """Even if it had been taken out before the other died."""
    assert after((10, 8), (None, None), (None, 8)).down == {A}
