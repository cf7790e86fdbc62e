"""An organization has one OAuth app for each connector type, with a sealed secret."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from plugbay.errors import NotFoundError
from plugbay.server.tables import oauth_apps, secrets


async def test_an_app_is_found_as_it_was_put_last(stores):
    """Put again, an app keeps its id and has the new client; another organization has none."""
    mine = (stores.organization.id, "zendesk-support")
    first = await stores.oauth_apps.put(*mine, "one", "secret-one")
    second = await stores.oauth_apps.put(*mine, "two", SecretStr("secret-two"))
    assert (first.id, second) == (second.id, await stores.oauth_apps.find(*mine))
    assert ("two", "secret-two") == (second.client_id, second.client_secret.get_secret_value())
    assert None is await stores.oauth_apps.find(stores.other.id, "zendesk-support")
    assert None is await stores.oauth_apps.find(stores.organization.id, "zendesk-talk")


async def test_a_secret_is_neither_shown_nor_readable(stores):
    """The secret is in no repr and in no row."""
    app = await stores.oauth_apps.put(stores.organization.id, "zendesk-support", "one", "very-secret")
    rows = [*await stores.database.all(select(oauth_apps)), *await stores.database.all(select(secrets))]
    assert "very-secret" not in repr(app) + repr(rows)


async def test_a_deleted_app_is_gone_with_its_secret(stores):
    """An app is deleted once, and nothing of it stays."""
    mine = (stores.organization.id, "zendesk-support")
    await stores.oauth_apps.put(*mine, "one", "secret")
    assert [True, False] == [await stores.oauth_apps.delete(*mine) for _ in range(2)]
    assert (None, []) == (await stores.oauth_apps.find(*mine), await stores.database.all(select(secrets)))


async def test_id_and_secret_are_never_of_two_apps(stores):
    """While apps are put one after the other, whoever looks finds a client with its own secret."""
    mine = (stores.organization.id, "zendesk-support")
    await stores.oauth_apps.put(*mine, "0", "0")

    async def put():
        for number in range(1, 20):
            await stores.oauth_apps.put(*mine, str(number), str(number))

    writing = asyncio.create_task(put())
    while not writing.done():
        app = await stores.oauth_apps.find(*mine)
        assert app.client_id == app.client_secret.get_secret_value()
    await writing


async def test_an_app_is_some_organization_s(stores):
    """No app is put for an organization that is not there."""
    with pytest.raises(NotFoundError):
        await stores.oauth_apps.put("missing", "zendesk-support", "one", "secret")
