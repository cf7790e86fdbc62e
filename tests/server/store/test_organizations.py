"""Organizations are made, found, and given policies and redirect URLs."""

from __future__ import annotations

import pytest

from plugbay.errors import NotFoundError


async def test_an_organization_is_found_by_its_id(stores):
    """What was made is found by its id and in the list, in the order it was made."""
    made = await stores.organizations.create("Third")
    assert made == await stores.organizations.get(made.id)
    assert [stores.organization, stores.other, made] == await stores.organizations.list()
    assert None is await stores.organizations.get("00000000-0000-4000-8000-000000000000")


async def test_policy_and_redirect_urls_are_replaced(stores):
    """A policy and the redirect URLs are as they were set last, and another organization's are as they were."""
    identifier = stores.organization.id
    await stores.organizations.set_policy(identifier, {"read_only": True})
    changed = await stores.organizations.set_redirect_urls(identifier, ["https://acme.example/back"])
    assert ({"read_only": True}, ["https://acme.example/back"]) == (changed.policy, changed.redirect_urls)
    assert changed == await stores.organizations.get(identifier)
    assert stores.other == await stores.organizations.get(stores.other.id)


async def test_an_organization_that_is_not_there_cannot_be_changed(stores):
    """To set the policy of no organization is a NotFoundError."""
    with pytest.raises(NotFoundError, match=r"^There is no such organization\.$"):
        await stores.organizations.set_policy("missing", {})
