"""The API keeps what its document promises, whatever it is asked."""

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
    """Ask every operation of the document with made-up values; return how many were asked."""
    sold(world)
    add_thing(world, "gate-1", 1)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    bearer = {"Authorization": f"Bearer {token_of(world, 'operator')}"}

    def asked(examples):
        count = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path != ENDLESS:
                hold_to(operation, bearer, examples)
                count += 1
        return count

    return asked


def hold_to(operation, headers, examples):
    """Every answer to one operation is as the document says, and none is an error of ours."""
    # Anybody may read: a token that is left out is no failure. Bytes of the right form are not yet a transaction.
    spared = [ignored_auth, *([positive_data_acceptance] if operation.path == SENDING else [])]

    @given(case=operation.as_strategy())
    @settings(max_examples=examples, deadline=None, phases=[Phase.generate], database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def ask(case):
        case.call_and_validate(headers=headers, excluded_checks=spared)

    ask()


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(fuzz):
    """Made-up parameters, headers and bodies of every kind, for every operation (schemathesis)."""
    assert fuzz(EXAMPLES) >= 24


@pytest.mark.long
def test_every_answer_is_as_the_document_says_at_length(fuzz):
    """The same with many more made-up values."""
    assert fuzz(LONG) >= 24
