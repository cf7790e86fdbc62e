"""A change of a setting and its note in the audit log: both are there, or neither."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from plugbay.errors import ServiceError
from plugbay.server.api.policy import PolicyDocument, set_policy
from plugbay.server.auditing import LARGEST_VALUE, tell_audit
from plugbay.server.caller import Caller
from plugbay.server.catalog import by_type
from plugbay.server.oauth.own_apps import remove_app, set_app
from plugbay.server.run import first_access, opened
from plugbay.server.settings import Settings
from plugbay.server.store import Audit

TALK = by_type("zendesk-talk")


class Full(Audit):
    """A log that takes nothing more."""

    async def record(self, *_args, **_options):
        raise ServiceError("The disk of the database is full.")


@pytest.fixture
async def server(tmp_path):
    async with opened(Settings(database_url=f"sqlite:///{tmp_path}/a.db")) as server:
        yield server


@pytest.fixture
async def caller(server):
    return Caller((await first_access(server)).organization_id, None, is_admin=True)


async def test_what_cannot_be_noted_is_not_done(server, caller):
    """A policy or an OAuth app whose note cannot be kept stays as it was."""
    await set_app(server, caller, TALK, "ours", SecretStr("a-client-secret"))
    full = replace(server, audit=Full(server.database))
    changes = [
        set_policy(full, caller, PolicyDocument(read_only=True)),
        set_app(full, caller, TALK, "theirs", SecretStr("another-secret")),
        remove_app(full, caller, TALK),
    ]
    for change in changes:
        with pytest.raises(ServiceError, match="full"):
            await change

    assert {} == (await server.organizations.get(caller.organization_id)).policy
    assert "ours" == (await server.oauth_apps.find(caller.organization_id, "zendesk-talk")).client_id


async def test_a_large_value_is_noted_by_its_size(server, caller):
    """Of a setting that is larger than a note may be there is the size."""
    await tell_audit(server, caller, "policy.set", content={"small": [1], "large": "x" * LARGEST_VALUE})
    [note] = (await server.audit.query(caller.organization_id)).items

    assert {"small": [1], "large": f"[{LARGEST_VALUE + 2} bytes]"} == note.content
