"""Whatever an organization does, with whichever ids, it neither changes nor sees another's rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from plugbay.errors import PlugbayError
from plugbay.server.store import AuditEntry, Flow
from plugbay.server.tables import metadata, organizations

GIVEN = {"connector_type": "zendesk-support", "subdomain": "x", "replication_config": {}}


@dataclass(frozen=True)
class Seeded:
    """One organization's rows: the ids that another might guess, and a word that is in each text."""

    organization: str
    word: str
    workspace: str
    connector: str
    client: str
    token: str
    cursor: str


async def _seed(stores, word):
    organization = (await stores.organizations.create(f"{word} organization")).id
    await stores.organizations.set_policy(organization, {"note": word})
    rooms = [await stores.workspaces.ensure(organization, f"{word} room {number}") for number in range(2)]
    given = {**GIVEN, "name": f"{word} connector", "auth_kind": "token", "secret": {"token": word}}
    made = await stores.connectors.create(organization, rooms[0].id, **given)
    client, _ = await stores.clients.create(organization, f"{word} client")
    await stores.oauth_apps.put(organization, "zendesk-support", f"{word} app", word)
    issue = {"client_id": client.id, "organization_id": organization, "lifetime": 600}
    token = await stores.bearers.issue("application", **issue, detail={"note": word})
    fields = {"workspace_id": word, "connector_type": "x", "subdomain": "x", "redirect_url": "x", "name": word}
    flow = Flow(organization_id=organization, **fields, verifier=SecretStr(word), expires_at=time.time() + 600)
    await stores.flows.begin(flow)
    for number in range(3):
        await stores.audit.record(AuditEntry(organization_id=organization, event=word, at=float(number)))
    cursor = (await stores.workspaces.list(organization, limit=1)).next
    return Seeded(organization, word, rooms[0].id, made.id, client.id, token, cursor)


async def _rows(stores, seeded):
    """All rows of an organization, in all tables, as they are now."""
    found = {
        "organizations": await stores.database.all(
            select(organizations).where(organizations.c.id == seeded.organization)
        )
    }
    for table in metadata.sorted_tables:
        if "organization_id" in table.c:
            mine = select(table).where(table.c.organization_id == seeded.organization)
            found[table.name] = await stores.database.all(mine.order_by(*table.primary_key))
    return found


OPERATIONS = {
    "workspaces.get": lambda s, me, it: s.workspaces.get(me, it.workspace),
    "workspaces.by_name": lambda s, me, it: s.workspaces.by_name(me, f"{it.word} room 0"),
    "workspaces.ensure": lambda s, me, it: s.workspaces.ensure(me, "default"),
    "workspaces.list": lambda s, me, it: s.workspaces.list(me, cursor=it.cursor),
    "workspaces.list named": lambda s, me, it: s.workspaces.list(me, name_contains="room"),
    "workspaces.update": lambda s, me, it: s.workspaces.update(me, it.workspace, name="renamed", status="inactive"),
    "workspaces.delete": lambda s, me, it: s.workspaces.delete(me, it.workspace),
    "connectors.create": lambda s, me, it: s.connectors.create(
        me, it.workspace, **GIVEN, name="new", auth_kind="oauth", secret={"a": 1}
    ),
    "connectors.get": lambda s, me, it: s.connectors.get(me, it.connector),
    "connectors.list": lambda s, me, it: s.connectors.list(me, workspace_id=it.workspace, cursor=it.cursor),
    "connectors.list all": lambda s, me, it: s.connectors.list(me),
    "connectors.update": lambda s, me, it: s.connectors.update(me, it.connector, name="renamed"),
    "connectors.replace_secret": lambda s, me, it: s.connectors.replace_secret(
        me, it.connector, {"token": "mine"}, auth_kind="token"
    ),
    "connectors.set_status": lambda s, me, it: s.connectors.set_status(me, it.connector, "needs_reauth", "x"),
    "connectors.note_check": lambda s, me, it: s.connectors.note_check(me, it.connector, "failed"),
    "connectors.delete": lambda s, me, it: s.connectors.delete(me, it.connector),
    "secrets.get": lambda s, me, it: _opened(s, me, f"connector/{it.connector}"),
    "secrets.put": lambda s, me, it: s.secrets.put(me, f"connector/{it.connector}", {"token": "mine"}),
    "secrets.delete": lambda s, me, it: s.secrets.delete(me, f"connector/{it.connector}"),
    "secrets.rewrap": lambda s, me, it: s.secrets.rewrap(),
    "oauth_apps.put": lambda s, me, it: s.oauth_apps.put(me, "zendesk-support", "mine", "mine"),
    "oauth_apps.find": lambda s, me, it: s.oauth_apps.find(me, "zendesk-support"),
    "oauth_apps.delete": lambda s, me, it: s.oauth_apps.delete(me, "zendesk-support"),
    "clients.list": lambda s, me, it: s.clients.list(me),
    "clients.revoke": lambda s, me, it: s.clients.revoke(me, it.client),
    "bearers.issue": lambda s, me, it: s.bearers.issue(
        "scoped", client_id=it.client, organization_id=me, workspace_id=it.workspace, lifetime=60
    ),
    "bearers.purge": lambda s, me, it: s.bearers.purge(time.time()),
    "flows.begin": lambda s, me, it: s.flows.begin(
        Flow(
            organization_id=me,
            workspace_id="x",
            connector_type="x",
            subdomain="x",
            redirect_url="x",
            name="x",
            verifier=SecretStr("x"),
            expires_at=time.time() + 600,
        )
    ),
    "flows.purge": lambda s, me, it: s.flows.purge(time.time()),
    "audit.record": lambda s, me, it: s.audit.record(
        AuditEntry(organization_id=me, event="x", connector_id=it.connector)
    ),
    "audit.query": lambda s, me, it: _without_ids(s.audit.query(me, limit=2)),
    "audit.query of": lambda s, me, it: _without_ids(s.audit.query(me, connector_id=it.connector)),
    "audit.export": lambda s, me, it: _exported(s, me),
    "organizations.set_policy": lambda s, me, it: s.organizations.set_policy(me, {"mine": True}),
    "organizations.set_redirect_urls": lambda s, me, it: s.organizations.set_redirect_urls(me, ["https://x.example"]),
}
"""What an organization may ask for: of its own, or with the ids of the other."""


async def _opened(stores, organization, subject):
    found = await stores.secrets.get(organization, subject)
    return None if found is None else found.value


async def _without_ids(query):
    # The caller itself wrote the connector's id there.
    return [(each.organization_id, each.event) for each in (await query).items]


async def _exported(stores, organization):
    return [(each.organization_id, each.event) async for each in stores.audit.export(organization)]


@given(done=st.lists(st.tuples(st.sampled_from(sorted(OPERATIONS)), st.booleans()), min_size=5, max_size=40))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_nothing_of_another_organization_is_changed_or_seen(stores, done):
    """After any operations of one organization, with its own ids or another's, the other's rows are as they were."""
    mine, theirs = await _seed(stores, "mine"), await _seed(stores, "theirs")
    before = await _rows(stores, theirs)
    seen = []
    for name, is_theirs in done:
        try:
            seen.append(await OPERATIONS[name](stores, mine.organization, theirs if is_theirs else mine))
        except PlugbayError as error:
            seen.append(error.payload())
    hidden = (theirs.organization, "theirs", theirs.workspace, theirs.connector, theirs.client, theirs.token)
    assert [] == [each for each in hidden if each in repr(seen)]
    assert before == await _rows(stores, theirs)


async def test_each_operation_alone_is_refused_or_finds_nothing(stores):
    """Each operation with the other's ids, one by one, leaves the other's rows as they were and shows none of them."""
    mine, theirs = await _seed(stores, "mine"), await _seed(stores, "theirs")
    before = await _rows(stores, theirs)
    wrong = []
    for name, operation in OPERATIONS.items():
        try:
            result = await operation(stores, mine.organization, theirs)
        except PlugbayError as error:
            result = SimpleNamespace(**error.payload())
        if "theirs" in repr(result) or before != await _rows(stores, theirs):
            wrong.append(name)
    assert [] == wrong
