"""The vendor's published Python client works with this server as it is, by the address of the API alone.

Files are not among what is tried: it reads every answer as JSON, so that no server can give it one.
"""

from __future__ import annotations

import airbyte_agent_sdk
import pytest
from airbyte_agent_sdk import ExecutionConfig, Workspace, connect
from airbyte_agent_sdk.connectors.zendesk_support import ZendeskSupportConnector
from airbyte_agent_sdk.connectors.zendesk_talk import ZendeskTalkConnector
from airbyte_agent_sdk.types import AirbyteAuthConfig

from .conftest import CONNECTORS, WORKSPACE

pytestmark = pytest.mark.usefixtures("connectors")


def support():
    """The published client's connector, found by its workspace."""
    return connect("zendesk-support", workspace_name=WORKSPACE)


async def test_connect_finds_the_connector_and_lists(zendesk):
    """`connect()` finds the workspace's connector, and a list has the service's records."""
    result = await support().execute("tickets", "list", {"per_page": 5})
    expected = zendesk.get("/api/v2/tickets", params={"page[size]": 5}).json()["tickets"]
    assert expected == result.data
    assert True is result.meta["pagination"]["has_more"]


async def test_typed_lists_are_its_models():
    """A typed call makes the published client's own models of what the server gives."""
    result = await support().tickets.list(per_page=3)
    assert [1, 2, 3] == [ticket.id for ticket in result.data]
    comments = await support().ticket_comments.list(ticket_id="1")
    assert all(comment.body for comment in comments.data)


async def test_its_pages_reach_every_record(zendesk):
    """Paging by its own numbers reads each ticket once, beyond the first page too."""
    found, page = [], 1
    while True:
        result = await support().execute("tickets", "list", {"per_page": 70, "page": page}, select_fields=["id"])
        found += [record["id"] for record in result.data]
        if not result.meta["pagination"]["has_more"]:
            break
        page += 1
    count = zendesk.get("/api/v2/tickets/count").json()["count"]["value"]
    assert list(range(1, count + 1)) == sorted(found)


async def test_records_are_read_by_ids_as_text():
    """It sends ids as text, and gets the record."""
    assert 3 == (await support().tickets.get(ticket_id="3"))["id"]


async def test_fields_are_selected_on_the_server():
    """`select_fields` holds, which it does not in the client's own local mode."""
    record = await support().execute("tickets", "get", {"ticket_id": "3"}, select_fields=["id", "subject"])
    assert {"id", "subject"} == record.keys()


async def test_nested_bodies_are_written(zendesk):
    """Its nested body makes a ticket, and changes one, at the service."""
    made = await support().tickets.create(ticket={"subject": "By the client", "comment": {"body": "hello"}})
    assert "By the client" == zendesk.get(f"/api/v2/tickets/{made['id']}").json()["ticket"]["subject"]
    await support().tickets.update(ticket_id=str(made["id"]), ticket={"subject": "Changed"})
    assert "Changed" == zendesk.get(f"/api/v2/tickets/{made['id']}").json()["ticket"]["subject"]


async def test_a_missing_record_is_its_error_with_the_services_words():
    """A 404 is the client's own exception, and says what the service said."""
    with pytest.raises(airbyte_agent_sdk.AirbyteError, match="RecordNotFound") as caught:
        await support().tickets.get(ticket_id="999999")
    assert 404 == caught.value.status_code


async def test_a_slip_is_told_instead_of_dropped():
    """A parameter that does not exist is an error that names it."""
    with pytest.raises(airbyte_agent_sdk.AirbyteError, match="statsu"):
        await support().execute("tickets", "list", {"statsu": "open"})


async def test_its_check_is_healthy():
    """The client's own check passes."""
    assert "healthy" == (await support().check()).status


async def test_it_inspects_and_reads_documentation(connectors):
    """Inspection and the documentation that it leads to are what the client expects."""
    inspected = await support().inspect_connector()
    assert connectors["Zendesk-Support"] == inspected["connector_id"]
    overview = await support().read_skill_docs()
    assert "Zendesk Support" in overview
    assert "tickets.update" in await support().read_skill_docs(section="tickets")


async def test_explicit_credentials_and_the_organization_header(served):
    """`AirbyteAuthConfig` with the organization's id works, for Talk as well."""
    config = AirbyteAuthConfig(
        workspace_name=WORKSPACE,
        organization_id=served["organization_id"],
        airbyte_client_id=served["client_id"],
        airbyte_client_secret=served["client_secret"],
    )
    numbers = await ZendeskTalkConnector(auth_config=config).phone_numbers.list()
    assert numbers.data
    tickets = await ZendeskSupportConnector(auth_config=config).tickets.list(per_page=1)
    assert 1 == len(tickets.data)


async def test_another_organization_is_out_of_reach(served):
    """With the id of an organization that the client does not reach nothing is given."""
    config = AirbyteAuthConfig(
        workspace_name=WORKSPACE,
        organization_id="00000000-0000-4000-8000-000000000000",
        airbyte_client_id=served["client_id"],
        airbyte_client_secret=served["client_secret"],
    )
    with pytest.raises(airbyte_agent_sdk.AirbyteError):
        await ZendeskSupportConnector(auth_config=config).execute("tickets", "list", {})


async def test_an_empty_workspace_is_its_named_error():
    """A workspace without the connector is the client's `ConnectorNotFoundError`."""
    with pytest.raises(airbyte_agent_sdk.ConnectorNotFoundError):
        await connect("zendesk-support", workspace_name="nowhere").execute("tickets", "list", {})


async def test_two_connectors_of_a_kind_are_its_named_error(served, api):
    """Two connectors of a kind in a workspace are the client's `ConnectorAmbiguityError`."""
    body = {
        "workspace_name": "twins",
        "connector_type": "zendesk-support",
        "credentials": {"access_token": served["sandbox"]["access_token"]},
    }
    for _ in range(2):
        assert api.post(CONNECTORS, json=body).is_success
    with pytest.raises(airbyte_agent_sdk.ConnectorAmbiguityError):
        await connect("zendesk-support", workspace_name="twins").execute("tickets", "list", {})


async def test_a_wrong_secret_is_refused_in_words(served):
    """A wrong secret is an error that says so."""
    wrong = {"client_id": served["client_id"], "client_secret": "wrong"}
    with pytest.raises(Exception, match="no client with this id and secret"):
        await connect("zendesk-support", workspace_name=WORKSPACE, **wrong).execute("tickets", "list", {})


async def test_a_workspace_lists_gives_and_deletes(served, api):
    """`Workspace` lists its connectors, gives one that works, and deletes it."""
    body = {
        "workspace_name": "to be emptied",
        "connector_type": "zendesk-support",
        "name": "zendesk-support",
        "credentials": {"access_token": served["sandbox"]["access_token"]},
    }
    connector_id = api.post(CONNECTORS, json=body).json()["id"]
    workspace = Workspace(workspace_name="to be emptied")
    assert [(connector_id, "Zendesk-Support")] == [
        (found.id, found.connector_type) for found in await workspace.list_connectors()
    ]
    connector = await workspace.get_connector(connector_id=connector_id)
    call = ExecutionConfig(entity="users", action="list", params={"per_page": 1})
    assert 1 == len((await connector.execute(call)).data)
    await workspace.delete_connector(connector_id)
    assert [] == await workspace.list_connectors()
    await workspace.close()


async def test_its_tool_decorator_carries_a_call():
    """A function under the published decorator calls through the server."""
    connector = support()

    @ZendeskSupportConnector.tool_utils
    async def execute(entity: str, action: str, params: dict | None = None):
        """Execute operations."""
        return await connector.execute(entity, action, params or {}, select_fields=["id"])

    result = await execute("tickets", "list", {"per_page": 2})
    assert "1" in str(result)
