"""Both connectors against a Zendesk that listens, through real HTTP, from end to end."""

from __future__ import annotations

import asyncio
import base64
import logging
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from plugbay import Policy
from plugbay.auth import MemoryTokenStore
from plugbay.connectors.zendesk_support import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportConnector,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.connectors.zendesk_talk import ZendeskTalkApiTokenAuthConfig, ZendeskTalkConnector
from plugbay.errors import (
    ApprovalRequiredError,
    AuthenticationError,
    ConflictError,
    InvalidParameterError,
    NotFoundError,
    PermissionDeniedError,
    PlugbayError,
    PolicyDeniedError,
    RateLimitedError,
    ValidationFailedError,
)
from plugbay.sandbox import Sandbox
from plugbay.transport import RetryPolicy

ENDING = "ignore:Zendesk ends API tokens:FutureWarning"


def ids(records):
    return [record["id"] for record in records]


async def walked(connector, entity, action, limit, **params):
    """A whole list, read with a limit and the cursor of each answer."""
    found, cursor, more = [], None, True
    while more:
        given = {**params, "limit": limit, **({"cursor": cursor} if cursor else {})}
        result = await connector.execute(entity, action, given)
        found += result.data
        cursor, more = result.meta.cursor, result.meta.has_more
    return found, cursor


def raw(sandbox, path, **params):
    """The sandbox's own answer, without a connector."""
    headers = {"authorization": f"Bearer {sandbox.access_token}"}
    return httpx.get(f"{sandbox.base_url}/api/v2{path}", params=params, headers=headers).json()


READS = [
    ("tickets", "list", {}, "/tickets", {"page[size]": 100}, "tickets"),
    ("tickets", "get", {"ticket_id": 7}, "/tickets/7", {}, "ticket"),
    ("tickets", "search", {"query": "status<solved"}, "/search", {"query": "type:ticket status<solved"}, "results"),
    (
        "tickets",
        "incremental_export",
        {"start_time": 0, "limit": 1000},
        "/incremental/tickets/cursor",
        {"start_time": 0, "per_page": 1000},
        "tickets",
    ),
    ("ticket_comments", "list", {"ticket_id": 7}, "/tickets/7/comments", {}, "comments"),
    ("users", "list", {}, "/users", {"page[size]": 100}, "users"),
    ("users", "list", {"role": "agent"}, "/users", {"page[size]": 100, "role": "agent"}, "users"),
    ("organizations", "list", {}, "/organizations", {"page[size]": 100}, "organizations"),
]


@pytest.mark.parametrize(("entity", "action", "params", "path", "query", "key"), READS)
async def test_a_read_gives_what_the_service_holds(library, connect, entity, action, params, path, query, key):
    """What a read returns is what the service answers, value for value."""
    result = await connect(library).execute(entity, action, params)
    assert raw(library, path, **query)[key] == result.data


async def test_the_caller_is_the_account_s_administrator(library, connect):
    """The caller is the user whose token it is; the token against forged requests, which comes with it, is left out."""
    me = await connect(library).users.me()
    assert {name: raw(library, "/users/me")["user"][name] for name in me} == me
    assert {"authenticity_token"} == raw(library, "/users/me")["user"].keys() - me.keys()
    assert library.email == me["email"]


async def test_records_by_id_are_those_of_the_account(library, connect):
    """A user, an organization and an attachment, read by their ids, are the account's."""
    connector = connect(library)
    for entity, path, key, known in (
        ("users", "/users", "user", library.account.users),
        ("organizations", "/organizations", "organization", library.account.organizations),
        ("attachments", "/attachments", "attachment", library.account.files),
    ):
        number = next(iter(known))
        result = await connector.execute(entity, "get", {f"{key}_id": number})
        assert number == result.data["id"]
        assert raw(library, f"{path}/{number}")[key] == result.data


@pytest.mark.parametrize("limit", [1, 9, 100, 101, 150, 1000])
async def test_walking_the_tickets_gives_each_once(library, connect, limit):
    """With any limit, walking the list by its cursors gives every ticket of the account once."""
    found, _ = await walked(connect(library), "tickets", "list", limit)
    assert len(found) == len({ticket["id"] for ticket in found})
    assert sorted(library.account.tickets) == sorted(ids(found))


async def test_iterating_a_list_reads_it_whole(library, connect):
    """Iterating a typed list gives every ticket, in the order that was asked for."""
    found = [ticket["id"] async for ticket in connect(library).tickets.list(sort="-id")]
    assert sorted(library.account.tickets, reverse=True) == found


@pytest.mark.parametrize(("entity", "known"), [("users", "users"), ("organizations", "organizations")])
async def test_the_other_lists_are_walked_too(library, connect, entity, known):
    """Users and organizations are read to their ends a few at a time."""
    found, _ = await walked(connect(library), entity, "list", 7)
    active = [number for number, record in getattr(library.account, known).items() if record.get("active", True)]
    assert sorted(active) == sorted(ids(found))


@pytest.mark.parametrize("limit", [1, 13, 100])
async def test_a_search_finds_what_matches(library, connect, limit):
    """A search gives each ticket that matches once, and says how many there are."""
    wanted = {number for number, ticket in library.account.tickets.items() if ticket["status"] == "open"}
    connector = connect(library)
    found, _ = await walked(connector, "tickets", "search", limit, query="status:open")
    assert (sorted(wanted), len(wanted)) == (
        sorted(ids(found)),
        (await connector.tickets.search("status:open", limit=1)).meta.total,
    )


async def test_a_user_is_found_by_address(library, connect):
    """A search for an address gives the one user that has it."""
    user = next(user for user in library.account.users.values() if user["role"] == "end-user" and user["email"])
    page = await connect(library).users.search(f"email:{user['email']}")
    assert [user["id"]] == ids(page.data)


async def test_users_come_along_when_asked_for(library, connect):
    """Records that were asked for beside tickets are in `meta.included`."""
    result = await connect(library).execute("tickets", "list", {"include": ["users"], "limit": 3})
    requesters = {ticket["requester_id"] for ticket in result.data}
    assert requesters <= {user["id"] for user in result.meta.included["users"]}


@pytest.mark.parametrize("limit", [1, 50, 1000])
async def test_an_export_is_read_to_its_end_and_polled_again(sandbox, support, ticket_id, limit):
    """An export gives every ticket once, then nothing; and after a change, from its last cursor, the changed one."""
    sandbox.clock.advance(seconds=120)
    found, cursor = await walked(support, "tickets", "incremental_export", limit, start_time=0)
    assert len(sandbox.account.tickets) == len({ticket["id"] for ticket in found if ticket["status"] != "deleted"})
    assert len(found) == len({ticket["id"] for ticket in found})
    idle = await support.execute("tickets", "incremental_export", {"start_time": 0, "cursor": cursor})
    assert ([], False) == (idle.data, idle.meta.has_more)
    await support.tickets.update(ticket_id, subject="Changed since")
    sandbox.clock.advance(seconds=120)
    polled = await support.execute("tickets", "incremental_export", {"start_time": 0, "cursor": idle.meta.cursor})
    assert [(ticket_id, "Changed since")] == [(ticket["id"], ticket["subject"]) for ticket in polled.data]


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_calls_are_read_to_their_end(sandbox, talk, limit):
    """Walking the calls with any limit gives each call of the account once."""
    sandbox.clock.advance(seconds=120)
    found, _ = await walked(talk, "calls", "list", limit, start_time=0)
    assert sorted(ids(sandbox.account.calls)) == sorted(ids(found))


async def test_talk_gives_what_the_service_holds(library, connect):
    """Phone numbers and what agents did are the account's, value for value."""
    connector = connect(library, ZendeskTalkConnector)
    numbers = (await connector.execute("phone_numbers", "list")).data
    assert raw(library, "/channels/voice/phone_numbers")["phone_numbers"] == numbers
    first = await connector.phone_numbers.get(numbers[0]["id"])
    assert raw(library, f"/channels/voice/phone_numbers/{numbers[0]['id']}")["phone_number"] == first
    activity = (await connector.execute("agents_activity", "list")).data
    assert raw(library, "/channels/voice/stats/agents_activity")["agents_activity"] == activity


async def test_a_new_ticket_is_in_the_account(sandbox, support):
    """A created ticket is stored with its fields, and its first comment is internal."""
    made = await support.tickets.create(
        subject="Broken", comment={"body": "It broke"}, priority="high", tags=["a", "b"], external_id="x-1"
    )
    stored = sandbox.account.tickets[made["id"]]
    assert ("Broken", "high", ["a", "b"], "x-1") == tuple(
        stored[name] for name in ("subject", "priority", "tags", "external_id")
    )
    assert [("It broke", False)] == [
        (comment["body"], comment["public"]) for comment in sandbox.account.comments[made["id"]]
    ]
    assert made == await support.tickets.get(made["id"])


async def test_the_nested_form_makes_the_same_ticket(sandbox, support):
    """Zendesk's own nested body is taken as well as plain arguments."""
    body = {"ticket": {"subject": "Nested", "comment": {"body": "Hi", "public": True}}}
    made = (await support.execute("tickets", "create", body)).data
    assert "Nested" == sandbox.account.tickets[made["id"]]["subject"]
    assert [True] == [comment["public"] for comment in sandbox.account.comments[made["id"]]]


async def test_a_retried_create_makes_one_ticket(sandbox, connect):
    """A create whose answer was lost is sent again under its key, and there is one ticket."""
    policy, waits = waiting_for(sandbox)
    connector = connect(sandbox, http=LoseAnswers(times=1), retry=policy)
    before = len(sandbox.account.tickets)
    made = await connector.tickets.create(subject="Once", comment={"body": "Hi"})
    posts = [request for request in sandbox.requests if request.method == "POST"]
    assert (2, 1, 1) == (len(posts), len(sandbox.account.tickets) - before, len(waits))
    assert 1 == len({request.headers["idempotency-key"] for request in posts})
    assert "Once" == sandbox.account.tickets[made["id"]]["subject"]


class LoseAnswers(httpx.AsyncBaseTransport):
    """Carries requests to the service, and loses its first answers to writes."""

    def __init__(self, times):
        self.left = times
        self.inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request):
        answer = await self.inner.handle_async_request(request)
        if request.method in {"POST", "PUT"} and self.left:
            self.left -= 1
            await answer.aread()
            await answer.aclose()
            raise httpx.ReadError("the connection broke", request=request)
        return answer

    async def aclose(self):
        await self.inner.aclose()


async def test_a_lost_update_is_not_repeated(sandbox, connect, ticket_id):
    """An update whose answer was lost is not sent again, and the error says that it may have been done."""
    connector = connect(sandbox, http=LoseAnswers(times=1))
    with pytest.raises(PlugbayError) as caught:
        await connector.ticket_comments.create(ticket_id, "Only once")
    assert "unknown" == caught.value.details["fate"]
    assert 1 == [comment["body"] for comment in sandbox.account.comments[ticket_id]].count("Only once")


async def test_an_update_changes_what_was_given(sandbox, support, ticket_id):
    """An update changes the given fields and no others, and `null` clears one."""
    number = ticket_id
    before = dict(sandbox.account.tickets[number])
    changed = await support.tickets.update(number, priority="urgent", tags=["x"], external_id=None)
    stored = sandbox.account.tickets[number]
    assert ("urgent", ["x"], None) == (stored["priority"], stored["tags"], stored["external_id"])
    assert (before["subject"], before["requester_id"], before["status"]) == (
        changed["subject"], changed["requester_id"], changed["status"],
    )  # fmt: skip


async def test_a_safe_update_of_a_changed_ticket_is_a_conflict(sandbox, support, ticket_id):
    """An update that is to respect a newer change is refused as a conflict, and passes with the newer stamp."""
    number = ticket_id
    stale = (await support.tickets.get(number))["updated_at"]
    sandbox.clock.advance(seconds=30)
    await support.tickets.update(number, subject="Somebody else was here")
    with pytest.raises(ConflictError) as caught:
        await support.tickets.update(number, subject="Mine", safe_update=True, updated_stamp=stale)
    assert "UpdateConflict" == caught.value.details["service_code"]
    assert "Somebody else was here" == sandbox.account.tickets[number]["subject"]
    fresh = (await support.tickets.get(number))["updated_at"]
    assert (
        "Mine"
        == (await support.tickets.update(number, subject="Mine", safe_update=True, updated_stamp=fresh))["subject"]
    )


async def test_a_closed_ticket_takes_no_change(sandbox, support):
    """Zendesk's refusal of a change to a closed ticket says which field is the reason."""
    number = next(number for number, ticket in sandbox.account.tickets.items() if ticket["status"] == "closed")
    with pytest.raises(ValidationFailedError) as caught:
        await support.tickets.update(number, status="open")
    assert "status" in caught.value.details["fields"]


async def test_comments_go_in_and_come_out(sandbox, support, ticket_id):
    """An internal note and a public answer are added as such, returned, and read back in order."""
    number = ticket_id
    before = len(sandbox.account.comments[number])
    note = await support.ticket_comments.create(number, "Only for us")
    answer = await support.ticket_comments.create(number, "For the customer", public=True)
    assert [("Only for us", False), ("For the customer", True)] == [
        (comment["body"], comment["public"]) for comment in (note, answer)
    ]
    read, _ = await walked(support, "ticket_comments", "list", 2, ticket_id=number)
    assert before + 2 == len(read)
    assert [("Only for us", False), ("For the customer", True)] == [
        (comment["body"], comment["public"]) for comment in read[-2:]
    ]
    assert [note["id"], answer["id"]] == ids(read[-2:])


async def test_an_uploaded_file_comes_back_out(sandbox, support, ticket_id):
    """A file added to a comment is found on the comment, described, and downloaded."""
    data = "Zeile 1\nZeile 2: äöü €\n".encode()
    token = upload(sandbox, "note.txt", data, "text/plain")
    comment = await support.ticket_comments.create(ticket_id, "See the file", uploads=[token])
    number = comment["attachments"][0]["id"]
    record = await support.attachments.get(number)
    assert ("note.txt", "text/plain", len(data)) == tuple(record[n] for n in ("file_name", "content_type", "size"))
    part = await support.attachments.download(number)
    assert ("utf-8", data.decode(), len(data)) == (part["encoding"], part["content"], part["size"])


def upload(sandbox, name, data, kind):
    """The token of a file that was sent to the sandbox."""
    answer = httpx.post(
        f"{sandbox.base_url}/api/v2/uploads",
        params={"filename": name},
        content=data,
        headers={"authorization": f"Bearer {sandbox.access_token}", "content-type": kind},
    )
    return answer.json()["upload"]["token"]


@pytest.mark.parametrize(
    ("data", "kind", "encoding"),
    [
        (("Grüße aus Köln, €uro und 😀 " * 40).encode(), "text/plain", "utf-8"),
        (b"\x00\xff\xfe\n" * 320, "application/octet-stream", "base64"),
    ],
)
@pytest.mark.parametrize("size", [64, 1000, 100_000])
async def test_a_file_is_read_in_windows(sandbox, support, ticket_id, data, kind, encoding, size):
    """A text or binary file, read window by window as each answer says, is the file that was sent, byte for byte."""
    token = upload(sandbox, "file", data, kind)
    number = (await support.ticket_comments.create(ticket_id, "File", uploads=[token]))["attachments"][0]["id"]
    found, more = b"", True
    while more:
        result = await support.execute(
            "attachments", "download", {"attachment_id": number, "offset": len(found), "max_bytes": size}
        )
        part = result.data
        piece = part["content"].encode() if part["encoding"] == "utf-8" else base64.b64decode(part["content"])
        assert (encoding, len(found), len(piece), len(data)) == (
            part["encoding"], part["offset"], part["length"], part["size"],
        )  # fmt: skip
        found += piece
        more = result.meta.has_more
    assert data == found


async def test_a_file_comes_from_the_second_host_without_credentials(sandbox, support, ticket_id):
    """The tenant's host is asked with credentials; the host of files, to which it redirects, is not."""
    token = upload(sandbox, "a.txt", b"hello", "text/plain")
    number = (await support.ticket_comments.create(ticket_id, "File", uploads=[token]))["attachments"][0]["id"]
    sandbox.requests.clear()
    assert "hello" == (await support.attachments.download(number))["content"]
    assert [("main", True, 200), ("main", True, 302), ("files", False, 206)] == [
        (request.origin, "authorization" in request.headers, request.status) for request in sandbox.requests
    ]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.tickets.get(999_999), "RecordNotFound"),
        (lambda c: c.users.get(1), "RecordNotFound"),
        (lambda c: c.organizations.get(1), "RecordNotFound"),
        (lambda c: c.attachments.get(1), "RecordNotFound"),
        (lambda c: c.attachments.download(1), "RecordNotFound"),
        (lambda c: c.ticket_comments.create(999_999, "x"), "RecordNotFound"),
    ],
)
async def test_what_is_not_there_is_not_found(library, connect, call, code):
    """A record that is not there is NotFoundError, with Zendesk's code and its id of the request."""
    with pytest.raises(NotFoundError) as caught:
        await call(connect(library))
    assert code == caught.value.details["service_code"]
    assert caught.value.request_id


async def test_what_a_role_may_not_do_is_denied(library, connect):
    """An agent's token is refused the export, which is for administrators."""
    token = library.token(role="agent")
    connector = connect(library, auth_config=ZendeskSupportOauth20AuthConfig(access_token=token))
    with pytest.raises(PermissionDeniedError):
        await connector.tickets.incremental_export(start_time=0)


async def test_a_scope_that_is_missing_is_denied(library, connect):
    """A token that may only read is refused a write by the service, which names the scope."""
    token = library.token("read")
    connector = connect(library, auth_config=ZendeskSupportOauth20AuthConfig(access_token=token))
    with pytest.raises(PermissionDeniedError, match="write"):
        await connector.tickets.update(5, status="open")


@pytest.mark.filterwarnings(ENDING)
@pytest.mark.parametrize("kind", [ZendeskSupportConnector, ZendeskTalkConnector])
async def test_every_kind_of_credentials_is_healthy(sandbox, connect, kind):
    """Access token, refresh token, client credentials and API token all pass a check, as the administrator."""
    configs = [
        ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token),
        ZendeskSupportOauth20AuthConfig(client_id=sandbox.client_id, client_secret=sandbox.client_secret),
        ZendeskTalkApiTokenAuthConfig(email=sandbox.email, api_token=sandbox.api_token),
    ]
    checked = [await connect(sandbox, kind, config).check() for config in configs]
    assert ["healthy"] * 3 == [result["status"] for result in checked]
    assert {sandbox.email} == {result["user"]["email"] for result in checked}


@pytest.mark.filterwarnings(ENDING)
@pytest.mark.parametrize(
    "config",
    [
        ZendeskSupportOauth20AuthConfig(access_token="not-a-token"),
        ZendeskSupportApiTokenAuthConfig(email="nobody@example.com", api_token="not-a-token"),
        ZendeskSupportOauth20AuthConfig(client_id="sandbox_app", client_secret="not-the-secret"),
    ],
)
async def test_wrong_credentials_are_unhealthy(library, connect, config):
    """Wrong credentials of any kind make a check unhealthy and a call fail, as a matter of authentication."""
    connector = connect(library, auth_config=config)
    checked = await connector.check()
    assert ("unhealthy", "authentication") == (checked["status"], checked["error"]["code"])
    with pytest.raises(AuthenticationError):
        await connector.tickets.get(5)


async def test_an_anonymous_answer_is_unhealthy(library, connect):
    """Credentials that Zendesk overlooks, and answers as to an anonymous user, are unhealthy."""
    connector = connect(library, http=Anonymous())
    assert None is raw_anonymous(library)["user"]["id"]
    checked = await connector.check()
    assert ("unhealthy", "authentication") == (checked["status"], checked["error"]["code"])
    with pytest.raises(AuthenticationError):
        await connector.users.me()


def raw_anonymous(sandbox):
    """What the sandbox answers to nobody in particular."""
    return httpx.get(f"{sandbox.base_url}/api/v2/users/me").json()


class Anonymous(httpx.AsyncBaseTransport):
    """Loses the credentials on the way, as a proxy may."""

    def __init__(self):
        self.inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request):
        del request.headers["authorization"]
        return await self.inner.handle_async_request(request)

    async def aclose(self):
        await self.inner.aclose()


def renewable(sandbox, **changes):
    """OAuth credentials whose access token has ended, and a refresh token that is good for one use."""
    fields = {
        "access_token": sandbox.token(expires_in=-1),
        "refresh_token": sandbox.refresh_token,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }
    return ZendeskSupportOauth20AuthConfig(**(fields | changes))


def exchanges(sandbox):
    """The requests to the token endpoint."""
    return [request for request in sandbox.requests if request.path == "/oauth/tokens"]


async def test_an_expired_token_is_renewed_and_the_new_pair_told_before_use(sandbox, connect):
    """The new pair is handed over before the first request that uses it."""
    order = []

    async def keep(pair):
        order.append(("told", len(sandbox.requests)))
        assert pair.refresh_token is not None
        assert pair.refresh_token.get_secret_value() != sandbox.refresh_token

    connector = connect(sandbox, auth_config=renewable(sandbox), on_token_refresh=keep)
    assert 5 == (await connector.tickets.get(5))["id"]
    assert ["/api/v2/tickets/5", "/oauth/tokens", "/api/v2/tickets/5"] == [r.path for r in sandbox.requests]
    assert [("told", 2)] == order


async def test_a_renewed_pair_goes_on_in_another_process(sandbox, connect):
    """A pair that a store keeps is used by the next connector, although the first one's tokens are spent."""
    store = MemoryTokenStore()
    await connect(sandbox, auth_config=renewable(sandbox), token_store=store).tickets.get(5)
    config = renewable(sandbox, access_token="spent", refresh_token="spent")
    again = connect(sandbox, auth_config=config, token_store=store)
    assert 5 == (await again.tickets.get(5))["id"]
    assert 1 == len(exchanges(sandbox))


async def test_twenty_calls_at_once_make_one_exchange(sandbox, connect):
    """Twenty calls that find the token expired renew it once, and all succeed."""
    connector = connect(sandbox, auth_config=renewable(sandbox))
    numbers = list(sandbox.account.tickets)[:20]
    found = await asyncio.gather(*(connector.tickets.get(number) for number in numbers))
    assert (numbers, 1) == (ids(found), len(exchanges(sandbox)))


async def test_a_token_that_ends_in_use_is_renewed(sandbox, connect):
    """A token got by client credentials is renewed when the sandbox's clock has passed its end."""
    config = ZendeskSupportOauth20AuthConfig(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    connector = connect(sandbox, auth_config=config)
    await connector.tickets.get(5)
    sandbox.clock.advance(seconds=3 * 86_400)
    assert 5 == (await connector.tickets.get(5))["id"]
    assert ["client_credentials"] * 2 == [
        httpx.Response(200, content=r.body).json()["grant_type"] for r in exchanges(sandbox)
    ]


async def test_a_revoked_grant_is_an_authentication_error(sandbox, connect):
    """When neither token is accepted any more the call fails at once, with one exchange and no loop."""
    connector = connect(sandbox, auth_config=renewable(sandbox, refresh_token="revoked"))
    with pytest.raises(AuthenticationError):
        await connector.tickets.get(5)
    assert 1 == len(exchanges(sandbox))


def revoke(sandbox, token):
    """Ends a token at the sandbox."""
    httpx.delete(f"{sandbox.base_url}/api/v2/oauth/tokens/current", headers={"authorization": f"Bearer {token}"})


async def test_a_revoked_access_token_without_renewal_is_an_authentication_error(sandbox, connect):
    """A token that was revoked, and cannot be renewed, fails with what is missing to renew it."""
    token = sandbox.token()
    revoke(sandbox, token)
    connector = connect(sandbox, auth_config=ZendeskSupportOauth20AuthConfig(access_token=token))
    with pytest.raises(AuthenticationError) as caught:
        await connector.tickets.get(5)
    assert "refresh_token" in caught.value.hint


def waiting_for(sandbox):
    """A retry policy whose waits pass on the sandbox's clock, and are noted."""
    waits = []

    async def sleep(seconds):
        waits.append(seconds)
        sandbox.clock.advance(seconds=seconds)

    return RetryPolicy(sleep=sleep, clock=sandbox.clock.timestamp, monotonic=sandbox.clock.timestamp), waits


def spend(sandbox, requests):
    """Another program of the same account makes requests."""
    for _ in range(requests):
        httpx.get(f"{sandbox.base_url}/api/v2/tickets/5", headers={"authorization": f"Bearer {sandbox.access_token}"})


def last_moment(second):
    """A sandbox with ten requests a minute, so many seconds into a minute."""
    return Sandbox(seed=3, tickets=20, plan="essential", now=datetime(2026, 6, 17, 12, 0, second, tzinfo=UTC))


async def test_a_budget_that_is_used_up_is_waited_for(connect):
    """The eleventh call of a minute of ten waits for the next minute, is never refused, and says that it waited."""
    with last_moment(59) as sandbox:
        sandbox.clock.freeze()
        policy, waits = waiting_for(sandbox)
        connector = connect(sandbox, retry=policy)
        for _ in range(10):
            await connector.tickets.get(5)
        result = await connector.execute("tickets", "get", {"ticket_id": 5})
    assert {200} == {request.status for request in sandbox.requests}
    assert (1, 1.0) == (len(waits), result.meta.waited)


async def test_an_export_leaves_requests_to_others(connect):
    """With a fifth of the minute's requests left an export waits, and a call that somebody waits for does not."""
    with last_moment(50) as sandbox:
        sandbox.clock.freeze()
        policy, waits = waiting_for(sandbox)
        connector = connect(sandbox, retry=policy)
        for _ in range(8):
            await connector.tickets.get(5)
        await connector.tickets.get(5)
        assert [] == waits
        await connector.execute("tickets", "incremental_export", {"start_time": 1_700_000_000, "limit": 5})
        assert [10.0] == waits
    assert {200} == {request.status for request in sandbox.requests}


async def test_support_and_talk_share_the_tenants_budget(connect):
    """What one connector has learned of the account's budget keeps the other from being refused."""
    with last_moment(59) as sandbox:
        sandbox.clock.freeze()
        policy, waits = waiting_for(sandbox)
        support, talk = connect(sandbox, retry=policy), connect(sandbox, retry=policy, kind=ZendeskTalkConnector)
        for _ in range(10):
            await support.tickets.get(5)
        await talk.phone_numbers.list()
    assert ({200}, 1) == ({request.status for request in sandbox.requests}, len(waits))


async def test_a_short_rate_limit_is_waited_for(connect):
    """A call that is refused for a second is sent again after that second, and succeeds."""
    with last_moment(59) as sandbox:
        sandbox.clock.freeze()
        policy, waits = waiting_for(sandbox)
        spend(sandbox, 10)
        assert 5 == (await connect(sandbox, retry=policy).tickets.get(5))["id"]
    refused, answered = sandbox.requests[-2:]
    assert (429, 200) == (refused.status, answered.status)
    assert 1 == len(waits)
    assert waits[0] >= float(refused.response_headers["retry-after"])


async def test_a_rate_limit_beyond_the_deadline_is_told_at_once(connect):
    """A wait longer than the call may take is not begun: the error says how long it would be, and so do the next."""
    with last_moment(5) as sandbox:
        sandbox.clock.freeze()
        spend(sandbox, 10)
        connector = connect(sandbox, timeout=2)
        with pytest.raises(RateLimitedError) as caught:
            await connector.tickets.get(5)
        refused = sandbox.requests[-1]
        with pytest.raises(RateLimitedError, match="was not sent") as unsent:
            await connector.tickets.get(5)
    assert (11, 429, True) == (len(sandbox.requests), refused.status, caught.value.retryable)
    assert float(refused.response_headers["retry-after"]) == caught.value.retry_after
    assert caught.value.retry_after >= unsent.value.retry_after > 2


async def test_policies_are_held_before_anything_is_sent(sandbox, connect):
    """Read-only, deny and confirm end a call here; a dry run shows the request that it would have been."""
    write = {"ticket_id": 5, "subject": "New"}
    for policy, kind in (
        (Policy(read_only=True), PolicyDeniedError),
        (Policy(deny=["tickets.*"]), PolicyDeniedError),
        (Policy(allow=["users.*"]), PolicyDeniedError),
        (Policy(confirm=["tickets.update"]), ApprovalRequiredError),
    ):
        with pytest.raises(kind):
            await connect(sandbox, policy=policy).execute("tickets", "update", write)
    dry = await connect(sandbox, policy=Policy(dry_run=True)).execute("tickets", "update", write)
    sent = {"method": "PUT", "path": "/api/v2/tickets/5", "query": {}, "body": {"ticket": {"subject": "New"}}}
    assert ({"would_send": sent}, True) == (dry.data, dry.meta.dry_run)
    assert [] == sandbox.requests
    allowed = connect(sandbox, policy=Policy(allow=["tickets.get"], read_only=True))
    assert 5 == (await allowed.tickets.get(5))["id"]


def test_the_synchronous_face_does_the_same(sandbox):
    """Synchronous code gets the same records, lists, writes, errors and check."""
    config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
    sync = ZendeskSupportConnector(config, base_url=sandbox.base_url).sync
    assert 5 == sync.tickets.get(5)["id"]
    assert 5 == sync.execute("tickets", "get", {"ticket_id": 5}).data["id"]
    page = sync.tickets.list(limit=3)
    following = sync.tickets.list(limit=3, cursor=page.meta.cursor)
    assert 6 == len({*ids(page.data), *ids(following.data)})
    made = sync.tickets.create(subject="From sync", comment={"body": "Hi"})
    assert "From sync" == sandbox.account.tickets[made["id"]]["subject"]
    with pytest.raises(NotFoundError):
        sync.tickets.get(999_999)
    assert "healthy" == sync.check()["status"]
    sync.close()


def test_several_event_loops_one_after_another(sandbox):
    """One connector serves any number of `asyncio.run`, one after another."""
    config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
    connector = ZendeskSupportConnector(config, base_url=sandbox.base_url)

    async def read():
        return (await connector.tickets.get(5))["id"]

    assert [5] * 4 == [asyncio.run(read()) for _ in range(4)]
    asyncio.run(connector.close())


def test_several_threads_at_once(sandbox):
    """One connector serves the event loops of several threads, and renews its token once for all of them."""
    connector = ZendeskSupportConnector(renewable(sandbox), base_url=sandbox.base_url)
    found = []

    async def read():
        return (await connector.tickets.get(5))["id"]

    threads = [threading.Thread(target=lambda: found.append(asyncio.run(read()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [5] * 6 == found
    assert 1 == len(exchanges(sandbox))
    asyncio.run(connector.close())


@pytest.mark.filterwarnings(ENDING)
async def test_nothing_secret_is_in_logs_or_errors(sandbox, connect, ticket_id, caplog):
    """With every logger at DEBUG, neither a log line nor an error or its payload holds a secret."""
    caplog.set_level(logging.DEBUG)
    expired = sandbox.token(expires_in=-1)
    secrets = {expired, sandbox.refresh_token, sandbox.client_secret, sandbox.api_token, sandbox.access_token}
    shown = []

    def note(pair):
        secrets.update({pair.access_token.get_secret_value(), pair.refresh_token.get_secret_value()})

    token = upload(sandbox, "a.txt", b"hello", "text/plain")
    for settings in (
        {"auth_config": renewable(sandbox, access_token=expired), "on_token_refresh": note},
        {"auth_config": ZendeskSupportApiTokenAuthConfig(email=sandbox.email, api_token=sandbox.api_token)},
        {"auth_config": renewable(sandbox, access_token=expired)},
        {
            "auth_config": ZendeskSupportOauth20AuthConfig(
                client_id=sandbox.client_id, client_secret=sandbox.client_secret + "x"
            )
        },
        {},
    ):
        connector = connect(sandbox, **settings)
        shown += [repr(connector), repr(await connector.check())]
        for call in (
            lambda c: c.tickets.get(999_999),
            lambda c: c.tickets.update(5, status="bad"),
            lambda c: c.users.search("email:x@example.com"),
            lambda c: c.ticket_comments.create(ticket_id, "File", uploads=[token]),
            lambda c: c.attachments.download(next(iter(sandbox.account.files))),
        ):
            try:
                await call(connector)
            except PlugbayError as error:
                shown += [repr(error), str(error), repr(error.payload()), repr(vars(error)), repr(error.__context__)]
    secrets |= {base64.b64encode(f"{sandbox.email}/token:{sandbox.api_token}".encode()).decode()}
    secrets |= {file.token for file in sandbox.account.files.values()}
    # The sandbox serves from this process; what it logs is the service's, not ours.
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    everything = "\n".join([*logged, *shown])
    assert [] == [secret for secret in secrets if secret in everything]
    assert "httpx" in {record.name for record in caplog.records}


async def test_fields_are_selected_and_long_texts_clipped(library, connect):
    """`select_fields` and `exclude_fields` shape records; without them each is whole."""
    connector = connect(library)
    chosen = await connector.execute("tickets", "list", {"limit": 2}, select_fields=["id", "via.channel"])
    assert [{"id", "via"}] * 2 == [set(record) for record in chosen.data]
    left = await connector.execute("tickets", "get", {"ticket_id": 7}, exclude_fields=["description"])
    whole = await connector.execute("tickets", "get", {"ticket_id": 7})
    assert set(whole.data) - {"description"} == set(left.data)
    assert whole.model_dump(mode="json")["data"] == whole.data


async def test_a_start_too_recent_is_the_service_s_refusal(sandbox, support):
    """An export from less than a minute ago is refused in the service's words."""
    start = int((sandbox.clock.now() - timedelta(seconds=5)).timestamp())
    with pytest.raises(ValidationFailedError, match="Too recent"):
        await support.tickets.incremental_export(start_time=start)
    with pytest.raises(InvalidParameterError):
        await support.tickets.incremental_export(start_time="soon")


def test_a_process_that_closes_nothing_ends_cleanly(sandbox):
    """Synchronous calls leave no open socket behind at the end of a process, closed or not."""
    program = (
        "import sys\n"
        "from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig\n"
        "config = ZendeskSupportOauth20AuthConfig(access_token=sys.argv[2])\n"
        "print(ZendeskSupportConnector(config, base_url=sys.argv[1]).sync.tickets.get(5)['id'])\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, sandbox.base_url, sandbox.access_token]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ("5", "") == (done.stdout.strip(), done.stderr)


async def test_one_file_has_one_encoding(sandbox, support, ticket_id):
    """Every window of a file that is no text is base64, whatever its bytes happen to be."""
    token = upload(sandbox, "picture.png", b"\x89PNG all letters here" + bytes(range(64)), "image/png")
    number = (await support.ticket_comments.create(ticket_id, "File", uploads=[token]))["attachments"][0]["id"]
    parts = [await support.attachments.download(number, offset=at, max_bytes=8) for at in range(0, 80, 8)]
    assert {"base64"} == {part["encoding"] for part in parts}
