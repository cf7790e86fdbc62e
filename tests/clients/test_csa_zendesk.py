"""csa-zendesk, an independent client, uses the sandbox as it uses Zendesk."""

from __future__ import annotations

import pytest

pytest.importorskip("csa_zendesk")
# The client and what it imports are not held to this project's rule that a warning is an error.
pytestmark = pytest.mark.filterwarnings("default")

import httpx  # noqa: E402
from csa_zendesk import exceptions  # noqa: E402
from csa_zendesk._http import HttpClient  # noqa: E402
from csa_zendesk.backend import ApiBackend  # noqa: E402
from csa_zendesk.client import ZendeskClient  # noqa: E402


class ToSandbox(httpx.BaseTransport):
    """Sends to the sandbox what is meant for its tenant's host."""

    def __init__(self, base_url):
        self.target = httpx.URL(base_url)
        self.inner = httpx.HTTPTransport()

    def handle_request(self, request):
        request.url = request.url.copy_with(scheme="http", host=self.target.host, port=self.target.port)
        request.headers["host"] = f"{self.target.host}:{self.target.port}"
        return self.inner.handle_request(request)

    def close(self):
        self.inner.close()


@pytest.fixture
def client():
    """Makes a client of a sandbox, and closes its connections."""
    made = []

    def make(sandbox, token=None):
        made.append(ToSandbox(sandbox.base_url))
        http = HttpClient("sandbox", token_provider=lambda: token or sandbox.access_token, transport=made[-1])
        return ZendeskClient(ApiBackend(http))

    yield make
    for transport in made:
        transport.close()


def test_a_ticket_is_read(library, client):
    """A ticket's fields are the account's."""
    ticket = client(library).get_ticket(ticket_id=7)["ticket"]
    assert (7, library.account.tickets[7]["subject"]) == (ticket["id"], ticket["subject"])


def test_a_search_is_paged(library, client):
    """A search read page by page gives each ticket that matches once."""
    wanted = sorted(number for number, ticket in library.account.tickets.items() if ticket["status"] == "open")
    found, page = [], 1
    while True:
        answer = client(library).search_tickets(query="status:open", page=page, per_page=25)
        found += [ticket["id"] for ticket in answer["results"]]
        if answer["next_page"] is None:
            break
        page += 1
    assert (wanted, len(wanted)) == (sorted(found), answer["count"])


def test_a_ticket_is_changed(sandbox, client, ticket_id):
    """A change of fields is in the account."""
    client(sandbox).update_ticket(ticket_id=ticket_id, fields={"priority": "urgent", "tags": ["csa"]})
    stored = sandbox.account.tickets[ticket_id]
    assert ("urgent", ["csa"]) == (stored["priority"], stored["tags"])


def test_a_note_and_an_answer_are_told_apart(sandbox, client, ticket_id):
    """An internal note and a public answer are stored as such, and read back in order."""
    zendesk = client(sandbox)
    zendesk.add_internal_note(ticket_id=ticket_id, body="For us")
    zendesk.reply_publicly(ticket_id=ticket_id, body="For the customer")
    read = zendesk.list_comments(ticket_id=ticket_id)["comments"][-2:]
    assert [False, True] == [comment["public"] for comment in read]
    assert ["For us", "For the customer"] == [c["body"] for c in sandbox.account.comments[ticket_id][-2:]]


def test_a_ticket_is_assigned_and_solved(sandbox, client, ticket_id):
    """Assignee and status are what the client set."""
    agent = sandbox.user("agent")["id"]
    zendesk = client(sandbox)
    zendesk.assign_ticket(ticket_id=ticket_id, assignee_id=agent)
    zendesk.solve_ticket(ticket_id=ticket_id)
    stored = sandbox.account.tickets[ticket_id]
    assert (agent, "solved") == (stored["assignee_id"], stored["status"])


def test_a_file_is_attached(sandbox, client, ticket_id):
    """A file is uploaded, attached to a note, and described; an unused one is removed."""
    zendesk = client(sandbox)
    token = zendesk.upload_file(filename="a.txt", content=b"hello", content_type="text/plain")["upload"]["token"]
    zendesk.add_internal_note(ticket_id=ticket_id, body="File", uploads=[token])
    number = zendesk.list_comments(ticket_id=ticket_id)["comments"][-1]["attachments"][0]["id"]
    record = zendesk.get_attachment(attachment_id=number)["attachment"]
    assert ("a.txt", 5) == (record["file_name"], record["size"])
    unused = zendesk.upload_file(filename="b.txt", content=b"x", content_type="text/plain")["upload"]["token"]
    zendesk.delete_upload(token=unused)
    assert unused not in sandbox.account.uploads


def test_wrong_credentials_are_refused(library, client):
    """A wrong token is the client's own error for it."""
    with pytest.raises(exceptions.CredentialsRejected):
        client(library, token="wrong").get_ticket(ticket_id=7)


def test_a_missing_ticket_is_not_found(library, client):
    """A ticket that is not there is the client's own error for it."""
    with pytest.raises(exceptions.NotFound):
        client(library).get_ticket(ticket_id=999_999)
