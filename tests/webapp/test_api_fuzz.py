"""The API keeps what its document promises, whatever it is asked."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from test_selling_and_buying import contract_of, list_item

PATHS = ("/api/v1/sales", "/api/v1/sales/{chain_id}/{address}", "/api/v1/sites")


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_as_the_document_says(world, browser, app, path):
    """Made-up parameters of every kind: no failure of ours, and the documented shape (schemathesis)."""
    contract_of(world, browser, list_item(world, browser))
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)

    @given(case=schema[path]["GET"].as_strategy())
    @settings(max_examples=40, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def ask(case):
        case.call_and_validate()

    ask()
