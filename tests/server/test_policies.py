"""Policies of organizations: what their documents mean, and that they mean something."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy")

from plugbay.errors import ConfigurationError
from plugbay.server.policies import check_policy, policy_of


def test_an_empty_document_restricts_nothing():
    """Without rules there is no policy."""
    assert None is policy_of({})
    check_policy({})


@pytest.mark.parametrize("pattern", ["*", "tickets.*", "*.get", "tickets.update", "phone_numbers.list"])
def test_patterns_of_any_connector_are_good(pattern):
    """A pattern that fits an action of any kind of connector is kept."""
    check_policy({"deny": [pattern]})


@pytest.mark.parametrize("rule", ["allow", "deny", "confirm"])
def test_a_pattern_that_fits_nothing_is_refused(rule):
    """A slip in a pattern would deny nothing, or everything; it is told with the rule and what was meant."""
    with pytest.raises(
        ConfigurationError, match=r"'ticket.update' fits no action .* Did you mean 'tickets.update'\?"
    ) as caught:
        check_policy({rule: ["*.get", "ticket.update"]})
    assert {"field": rule} == caught.value.details
