"""zenpy, an independent client, uses the sandbox as it uses Zendesk."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("zenpy")
# zenpy and what it imports are not held to this project's rule that a warning is an error.
pytestmark = pytest.mark.filterwarnings("default")

import requests  # noqa: E402 - comes with zenpy
from requests.adapters import HTTPAdapter  # noqa: E402
from zenpy import Zenpy  # noqa: E402
from zenpy.lib.api_objects import Comment, Ticket  # noqa: E402
from zenpy.lib.exception import APIException, RecordNotFoundException  # noqa: E402

HOST = "https://sandbox.zendesk.com"


class ToSandbox(HTTPAdapter):
    """Sends to the sandbox what is meant for its tenant's host."""

    def __init__(self, base_url):
        super().__init__()
        self.base_url = base_url

    def send(self, request, **settings):
        sent = request.copy()
        sent.url = request.url.replace(HOST, self.base_url, 1)
        response = super().send(sent, **settings)
        # zenpy reads from the request's address what kind of answer it has; the sandbox's links name its own address.
        response.request = request
        request.url = request.url.replace(self.base_url, HOST, 1)
        return response


@pytest.fixture
def client():
    """Makes a client of a sandbox, and closes its connections."""
    with requests.Session() as session:

        def make(sandbox, **credentials):
            for address in (HOST, sandbox.base_url):
                session.mount(address, ToSandbox(sandbox.base_url))
            credentials = credentials or {"oauth_token": sandbox.access_token}
            return Zenpy(subdomain="sandbox", session=session, disable_cache=True, **credentials)

        yield make


def ids(found):
    return [each.id for each in found]


@pytest.mark.parametrize("paging", [{}, {"cursor_pagination": True}, {"cursor_pagination": 37}])
def test_all_tickets_are_listed(library, client, paging):
    """Both ways of paging give every ticket of the account once."""
    assert sorted(library.account.tickets) == sorted(ids(client(library).tickets(**paging)))


def test_a_ticket_is_read(library, client):
    """A ticket's fields are the account's."""
    stored = library.account.tickets[7]
    ticket = client(library).tickets(id=7)
    assert (7, stored["subject"], stored["status"], stored["tags"]) == (
        ticket.id,
        ticket.subject,
        ticket.status,
        ticket.tags,
    )


def test_a_ticket_is_created(sandbox, client):
    """A new ticket is in the account, with its first comment."""
    made = client(sandbox).tickets.create(
        Ticket(subject="From zenpy", comment=Comment(body="Hello", public=False), priority="high", tags=["z"])
    )
    stored = sandbox.account.tickets[made.ticket.id]
    assert ("From zenpy", "high", ["z"]) == (stored["subject"], stored["priority"], stored["tags"])
    assert [("Hello", False)] == [(c["body"], c["public"]) for c in sandbox.account.comments[made.ticket.id]]


def test_a_description_makes_the_first_comment(sandbox, client):
    """A ticket made with a description, as zenpy's own documentation does it, has it as its comment."""
    made = client(sandbox).tickets.create(Ticket(subject="Described", description="In words"))
    assert ["In words"] == [comment["body"] for comment in sandbox.account.comments[made.ticket.id]]


def test_a_ticket_is_changed_with_a_comment(sandbox, client, ticket_id):
    """A change of fields and a comment arrive in one update."""
    zendesk = client(sandbox)
    ticket = zendesk.tickets(id=ticket_id)
    ticket.priority = "urgent"
    ticket.comment = Comment(body="Looking into it", public=True)
    zendesk.tickets.update(ticket)
    assert "urgent" == sandbox.account.tickets[ticket_id]["priority"]
    last = sandbox.account.comments[ticket_id][-1]
    assert ("Looking into it", True) == (last["body"], last["public"])


def test_a_search_finds_tickets(library, client):
    """A search pages through every ticket that matches, and knows their number."""
    wanted = sorted(number for number, ticket in library.account.tickets.items() if ticket["status"] == "open")
    found = client(library).search(type="ticket", status="open")
    assert len(wanted) == len(found)
    assert wanted == sorted(ids(found))


def test_users_and_organizations_are_listed(library, client):
    """Users and organizations are listed whole, and one of each is read by its id."""
    zendesk = client(library)
    users = ids(zendesk.users())
    assert sorted(n for n, user in library.account.users.items() if user["active"]) == sorted(users)
    assert sorted(library.account.organizations) == sorted(ids(zendesk.organizations()))
    assert library.account.users[users[0]]["name"] == zendesk.users(id=users[0]).name
    number = next(iter(library.account.organizations))
    assert library.account.organizations[number]["name"] == zendesk.organizations(id=number).name


def test_a_user_is_found(library, client):
    """A search for an address gives its one user."""
    user = next(user for user in library.account.users.values() if user["role"] == "end-user" and user["email"])
    assert [user["id"]] == ids(client(library).users.search(query=f"email:{user['email']}"))


def test_the_caller_is_known(library, client):
    """The caller is the administrator, by bearer token and by API token."""
    by_token = {"email": library.email, "token": library.api_token}
    assert [library.email] * 2 == [client(library, **how).users.me().email for how in ({}, by_token)]


@pytest.mark.parametrize("by_time", [True, False])
def test_the_incremental_export_is_read(sandbox, client, by_time):
    """Both exports give every ticket that has changed, and come to an end."""
    sandbox.clock.advance(seconds=120)
    found = client(sandbox).tickets.incremental(start_time=1, paginate_by_time=by_time)
    assert set(sandbox.account.tickets) <= set(ids(itertools.islice(found, 5_000)))


def test_comments_are_read(sandbox, client, ticket_id):
    """A ticket's comments come in their order."""
    stored = sandbox.account.comments[ticket_id]
    assert [comment["body"] for comment in stored] == [
        c.body for c in client(sandbox).tickets.comments(ticket=ticket_id)
    ]


def test_a_file_goes_in_and_comes_out(sandbox, client, ticket_id, tmp_path):
    """A file that was uploaded with a comment is downloaded from the second host as it was."""
    (tmp_path / "in.txt").write_bytes(b"line one\nline two\n")
    zendesk = client(sandbox)
    upload = zendesk.attachments.upload(str(tmp_path / "in.txt"), target_name="in.txt")
    ticket = zendesk.tickets(id=ticket_id)
    ticket.comment = Comment(body="File", public=False, uploads=[upload.token])
    zendesk.tickets.update(ticket)
    comment = list(zendesk.tickets.comments(ticket=ticket_id))[-1]
    attachment = comment.attachments[0]
    zendesk.attachments.download(attachment.id, str(tmp_path))
    assert ("in.txt", b"line one\nline two\n") == (attachment.file_name, (tmp_path / "in.txt").read_bytes())


@pytest.mark.parametrize("credentials", [{"oauth_token": "wrong"}, {"email": "a@example.com", "token": "wrong"}])
def test_wrong_credentials_are_refused(library, client, credentials):
    """Wrong credentials are an error of the API."""
    with pytest.raises(APIException) as caught:
        client(library, **credentials).tickets(id=7)
    assert 401 == caught.value.response.status_code


def test_a_missing_record_is_not_found(library, client):
    """A ticket that is not there is zenpy's own error for it."""
    with pytest.raises(RecordNotFoundException):
        client(library).tickets(id=999_999)
