"""The release machine: every state and event, and the rules that no path may break."""

import itertools

import pytest

from iot_client.errors import NotNow
from iot_client.machine import AWAITS_CHAIN, BEFORE_INTENT, ENDS, TABLE, Effect, Event, State, advance, permits


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_state_and_event_is_listed_or_refused(state: State, event: Event) -> None:
    """A pair either moves as the table says or is refused with its names."""
    if permits(state, event):
        assert advance(state, event) is TABLE[state, event]
        return
    with pytest.raises(NotNow, match=event):
        advance(state, event)


def test_ends_are_ends() -> None:
    """Nothing leads out of an end, and every other state has a way on."""
    leaving = {state for state, _ in TABLE}
    assert not leaving & ENDS
    assert leaving | ENDS == set(State)


def test_every_end_can_be_reached_from_every_state() -> None:
    """No release is stuck: from each state some path of events ends it."""
    for start in State:
        seen, edge = {start}, [start]
        while edge:
            here = edge.pop()
            following = {move.to for (state, _), move in TABLE.items() if state is here} - seen
            seen |= following
            edge += following
        assert seen & ENDS, start


def test_one_pulse_at_most_on_every_path() -> None:
    """No path through the table pulses twice: after an intent no state that can intend is reached again."""
    pulsing = {(state, event) for (state, event), move in TABLE.items() if Effect.PULSE in move.effects}
    assert {TABLE[pair].to for pair in pulsing} == {State.INTENT}
    seen, edge = {State.INTENT}, [State.INTENT]
    while edge:
        here = edge.pop()
        following = {move.to for (state, _), move in TABLE.items() if state is here} - seen
        seen |= following
        edge += following
    assert not seen & {state for state, _ in pulsing}


def test_only_what_was_consumed_opens() -> None:
    """A pulse follows only a release that the chain has proven."""
    opening = {state for (state, _), move in TABLE.items() if Effect.PULSE in move.effects}
    assert opening == {State.CONSUMED, State.REQUESTED, State.LATE}
    late = [event for (state, event), move in TABLE.items() if state is State.LATE and Effect.PULSE in move.effects]
    assert late == [Event.ORDERED_OPEN]


def test_abort_needs_no_intent_or_a_sensor_that_watched() -> None:
    """Automatic aborts start before any intent, or from a sensor that saw the door stay shut."""
    aborts = {pair for pair, move in TABLE.items() if Effect.SEND_ABORT in move.effects}
    by_themselves = {(state, event) for state, event in aborts if event is not Event.SETTLED_SHUT}
    assert by_themselves == {(State.LATE, Event.GIVEN_UP), (State.ACTUATED, Event.STAYED_SHUT)}


def test_a_refusal_before_sending_changes_nothing_on_chain() -> None:
    """Up to `owned` a failed check refuses, and nothing is sent."""
    for state in (State.SCANNED, State.DECODED, State.GENUINE, State.OWNED):
        assert advance(state, Event.REFUSE).effects == (Effect.TELL,)
    assert not BEFORE_INTENT & {State.SCANNED, State.DECODED, State.GENUINE, State.OWNED}
    assert State.SUBMITTED in AWAITS_CHAIN
