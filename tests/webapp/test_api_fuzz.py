"""The API keeps what its document promises, whatever it is asked."""

import sys

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from test_api import token_of
from test_ledger import sold
from test_permissions import add_thing

EXAMPLES, LONG = 12, 500
SENDING = "/api/v1/transactions"
ENDLESS = "/api/v1/events"
"""A stream that never ends; `test_events` asks it."""


@pytest.fixture
def fuzz(world, app):
    """Ask every operation of the document with made-up values; tell how many were asked, and how often."""
    sold(world)
    add_thing(world, "gate-1", 1)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    bearer = {"Authorization": f"Bearer {token_of(world, 'operator')}"}

    def asked(examples):
        operations = [found.ok() for found in schema.get_all_operations()]
        requests = {one.label: hold_to(one, bearer, examples) for one in operations if one.path != ENDLESS}
        sys.stdout.write(f"{len(requests)} operations, {sum(requests.values())} requests\n")
        return len(requests)

    return asked


def hold_to(operation, headers, examples):
    """Every answer to one operation is as the document says, and none is an error of ours; how many there were."""
    count = 0
    # Anybody may read: a token that is left out is no failure. Bytes of the right form are not yet a transaction.
    spared = [ignored_auth, *([positive_data_acceptance] if operation.path == SENDING else [])]

    @given(case=operation.as_strategy())
    @settings(max_examples=examples, deadline=None, phases=[Phase.generate], database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def ask(case):
        nonlocal count
        count += 1
        case.call_and_validate(headers=headers, excluded_checks=spared)

    ask()
    return count


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(fuzz):
    """Made-up parameters, headers and bodies of every kind, for every operation (schemathesis)."""
    assert fuzz(EXAMPLES) >= 24


@pytest.mark.long
def test_every_answer_is_as_the_document_says_at_length(fuzz):
    """The same with many more made-up values."""
    assert fuzz(LONG) >= 24
