"""What each action of Zendesk Support puts on the wire, and what it makes of the answer."""

from __future__ import annotations

import itertools

import httpx
import pytest

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.errors import (
    AuthenticationError,
    ConfigurationError,
    DeadlineExceededError,
    InvalidParameterError,
    NetworkError,
    ResponseIntegrityError,
    ServiceError,
    UnknownOperationError,
)

TICKET = {"id": 7, "subject": "A subject"}
LISTS = {
    "tickets": {"tickets": [TICKET], "meta": {"has_more": False}, "links": {}},
    "results": {"results": [TICKET], "count": 1, "next_page": None},
    "export": {"tickets": [TICKET], "after_cursor": "c", "end_of_stream": True},
    "comments": {"comments": [{"id": 5}], "meta": {"has_more": False}},
    "users": {"users": [{"id": 9}], "meta": {"has_more": False}},
    "found": {"users": [{"id": 9}], "count": 1, "next_page": None},
    "organizations": {"organizations": [{"id": 4}], "meta": {"has_more": False}},
}
AUDIT = {"id": 3, "events": [{"id": 1, "type": "Change"}, {"id": 2, "type": "Comment", "body": "Hi", "public": False}]}
FILE = {"id": 8, "file_name": "a.txt", "content_type": "text/plain", "content_url": "https://acme.zendesk.com/a/b?n=1"}

READS = [
    ("tickets", "list", {}, "/tickets", {"page[size]": "100"}, LISTS["tickets"], [TICKET]),
    (
        "tickets",
        "list",
        {"sort": "-updated_at", "external_id": "x/1", "include": ["users", "groups"], "limit": 5},
        "/tickets",
        {"sort": "-updated_at", "external_id": "x/1", "include": "users,groups", "page[size]": "5"},
        LISTS["tickets"],
        [TICKET],
    ),
    ("tickets", "get", {"ticket_id": 7}, "/tickets/7", {}, {"ticket": TICKET}, TICKET),
    (
        "tickets",
        "get",
        {"ticket_id": "7", "include": "users"},
        "/tickets/7",
        {"include": "users"},
        {"ticket": TICKET},
        TICKET,
    ),
    (
        "tickets",
        "search",
        {"query": "refund status<solved", "sort_by": "created_at", "sort_order": "asc"},
        "/search",
        {
            "query": "type:ticket refund status<solved",
            "sort_by": "created_at",
            "sort_order": "asc",
            "page": "1",
            "per_page": "100",
        },
        LISTS["results"],
        [TICKET],
    ),
    (
        "tickets",
        "incremental_export",
        {"start_time": "2026-01-31T00:00:00Z", "exclude_deleted": True},
        "/incremental/tickets/cursor",
        {"start_time": "1769817600", "exclude_deleted": "true", "per_page": "100"},
        LISTS["export"],
        [TICKET],
    ),
    (
        "ticket_comments",
        "list",
        {"ticket_id": 7, "sort": "-created_at", "include_inline_images": False},
        "/tickets/7/comments",
        {"sort": "-created_at", "include_inline_images": "false", "page[size]": "100"},
        LISTS["comments"],
        [{"id": 5}],
    ),
    ("attachments", "get", {"attachment_id": 8}, "/attachments/8", {}, {"attachment": FILE}, FILE),
    (
        "users",
        "list",
        {"role": "agent", "external_id": "e"},
        "/users",
        {"role": "agent", "external_id": "e", "page[size]": "100"},
        LISTS["users"],
        [{"id": 9}],
    ),
    (
        "users",
        "get",
        {"user_id": 9, "include": ["roles", "abilities"]},
        "/users/9",
        {"include": "roles,abilities"},
        {"user": {"id": 9}},
        {"id": 9},
    ),
    (
        "users",
        "search",
        {"query": "email:ann@example.com", "limit": 1},
        "/users/search",
        {"query": "email:ann@example.com", "page": "1", "per_page": "1"},
        LISTS["found"],
        [{"id": 9}],
    ),
    (
        "users",
        "search",
        {"external_id": "e 1"},
        "/users/search",
        {"external_id": "e 1", "page": "1", "per_page": "100"},
        LISTS["found"],
        [{"id": 9}],
    ),
    ("users", "me", {}, "/users/me", {}, {"user": {"id": 9}}, {"id": 9}),
    ("organizations", "list", {}, "/organizations", {"page[size]": "100"}, LISTS["organizations"], [{"id": 4}]),
    (
        "organizations",
        "get",
        {"organization_id": 4},
        "/organizations/4",
        {},
        {"organization": {"id": 4}},
        {"id": 4},
    ),
]


@pytest.mark.parametrize(("entity", "action", "params", "path", "query", "answer", "data"), READS)
async def test_a_read_is_one_plain_get(support, entity, action, params, path, query, answer, data):
    """Each read is one GET with its path and query, no body, and gives the records as they came."""
    connector, service = support(answer)
    result = await connector.execute(entity, action, params)
    assert data == result.data
    assert [("GET", f"/api/v2{path}", query, None)] == service.sent


def test_every_action_is_proven_here():
    """No action of the connector is missing among the tests of this file."""
    writes = {"tickets.create", "tickets.update", "ticket_comments.create", "attachments.download"}
    catalogue = {
        operation.name for actions in ZendeskSupportConnector.operations.values() for operation in actions.values()
    }
    assert catalogue == writes | {f"{entity}.{action}" for entity, action, *_ in READS}


async def test_the_typed_calls_send_the_same(support):
    """The typed calls put on the wire what `execute` does."""
    connector, service = support({"ticket": TICKET})
    assert TICKET == await connector.tickets.get(7)
    assert TICKET == await connector.tickets.get(ticket_id=7)
    assert TICKET == (await connector.execute("tickets", "get", {"ticket_id": 7})).data
    assert [("GET", "/api/v2/tickets/7", {}, None)] * 3 == service.sent


CREATED = (201, {"ticket": TICKET, "audit": AUDIT})
COMMENTS = [
    ({"body": "Hi"}, {"body": "Hi", "public": False}),
    ({"body": "Hi", "public": True}, {"body": "Hi", "public": True}),
    ({"html_body": "<p>Hi</p>", "public": False}, {"html_body": "<p>Hi</p>", "public": False}),
    (
        {"body": "Hi", "author_id": 9, "uploads": ["tok"]},
        {"body": "Hi", "author_id": 9, "uploads": ["tok"], "public": False},
    ),
    ({"value": "Hi"}, {"value": "Hi", "public": False}),
    ("Hi", {"body": "Hi", "public": False}),
    ('{"body": "Hi", "public": true}', {"body": "Hi", "public": True}),
]


@pytest.mark.parametrize(("comment", "sent"), COMMENTS)
async def test_a_first_comment_always_says_whether_it_is_public(support, comment, sent):
    """A ticket's first comment goes out with `public`, which is false unless the caller says otherwise."""
    connector, service = support(CREATED)
    await connector.execute("tickets", "create", {"subject": "A subject", "comment": comment})
    assert [("POST", "/api/v2/tickets", {}, {"ticket": {"subject": "A subject", "comment": sent}})] == service.sent


@pytest.mark.parametrize(("comment", "sent"), COMMENTS)
async def test_a_comment_of_an_update_always_says_whether_it_is_public(support, comment, sent):
    """A comment of an update goes out with `public`, so that Zendesk's own default never mails a customer."""
    connector, service = support((200, {"ticket": TICKET, "audit": AUDIT}))
    await connector.execute("tickets", "update", {"ticket_id": 7, "comment": comment})
    assert [("PUT", "/api/v2/tickets/7", {}, {"ticket": {"comment": sent}})] == service.sent


async def test_a_description_is_an_internal_first_comment(support):
    """What Zendesk would make a public first comment, a `description`, is sent as an internal one."""
    connector, service = support(CREATED)
    await connector.execute("tickets", "create", {"ticket": {"subject": "A subject", "description": "Words"}})
    sent = {"subject": "A subject", "comment": {"body": "Words", "public": False}}
    assert {"ticket": sent} == service.sent[0][3]


FIELDS = {
    "requester_id": 9, "submitter_id": 9, "assignee_id": 10, "assignee_email": "a@example.com", "group_id": 11, "organization_id": 12,
    "status": "pending", "priority": "high", "type": "incident", "tags": ["a", "b"], "custom_fields": [{"id": 1, "value": ["x"]}],
    "due_at": "2026-12-01T00:00:00Z", "external_id": "e", "ticket_form_id": 13, "brand_id": 14, "problem_id": 15,
    "custom_status_id": 16, "recipient": "support@example.com", "collaborator_ids": [17],
    "collaborators": [18, "b@example.com", {"name": "C", "email": "c@example.com"}],
    "email_ccs": [{"user_id": "19", "action": "put"}, {"user_email": "d@example.com"}], "followers": [{"user_id": 20, "action": "delete"}],
    "macro_ids": [21], "sharing_agreement_ids": [22], "via_followup_source_id": 23, "metadata": {"source": "bot"},
    "requester": {"name": "E", "email": "e@example.com", "locale_id": 8},
}  # fmt: skip


async def test_every_field_of_a_new_ticket_is_sent_as_given(support):
    """All fields that Zendesk takes for a new ticket travel unchanged, given flat or in Zendesk's nested form."""
    connector, service = support(CREATED)
    given = {"subject": "A subject", "comment": {"body": "Hi", "public": True}, **FIELDS}
    result = await connector.execute("tickets", "create", given)
    await connector.execute("tickets", "create", {"ticket": given})
    assert (TICKET, {"audit": AUDIT}) == (result.data, result.meta.included)
    assert [{"ticket": given}] * 2 == [body for _, _, _, body in service.sent]


async def test_every_field_of_an_update_is_sent_as_given(support):
    """All fields that Zendesk takes for a change travel unchanged; `null` clears the fields that can be empty."""
    connector, service = support((200, {"ticket": TICKET}))
    fields = {name: value for name, value in FIELDS.items() if name in
              ZendeskSupportConnector.find("tickets", "update").arguments.parameters}  # fmt: skip
    fields |= {"additional_collaborators": [1], "safe_update": True, "updated_stamp": "2026-01-01T00:00:00Z"}
    await connector.execute("tickets", "update", {"ticket_id": 7, **fields})
    cleared = dict.fromkeys(
        ["priority", "type", "assignee_id", "group_id", "organization_id", "due_at", "external_id", "problem_id"]
    )
    await connector.execute("tickets", "update", {"ticket_id": 7, **cleared})
    assert [{"ticket": fields}, {"ticket": cleared}] == [body for _, _, _, body in service.sent]


async def test_only_given_fields_are_sent(support):
    """A field that is not given, or given as null where null means nothing, is not sent."""
    connector, service = support((200, {"ticket": TICKET}))
    await connector.execute("tickets", "update", {"ticket_id": 7, "status": "open", "tags": None, "comment": None})
    assert {"ticket": {"status": "open"}} == service.sent[0][3]


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("create", {"subject": "a"}),
        ("create", {"subject": "a", "comment": {}}),
        ("create", {"subject": "a", "comment": {"public": True}}),
        ("create", {"subject": "a", "comment": {"body": ""}}),
        ("create", {"subject": "a", "comment": ""}),
        ("create", {"subject": "a", "comment": {"body": "b", "publik": True}}),
        ("create", {"subject": "a", "comment": {"body": "b"}, "description": "c"}),
        ("create", {"subject": "a", "comment": {"body": "b"}, "prioritee": "high"}),
        ("create", {"subject": "a", "comment": {"body": "b"}, "priority": "higher"}),
        ("create", {"subject": "a", "comment": {"body": "b"}, "requester_id": -1}),
        ("create", {"subject": "a", "comment": {"body": "b"}, "followers": [{"user_id": 1, "action": "add"}]}),
        ("update", {"status": "open"}),
        ("update", {"ticket_id": 0}),
        ("update", {"ticket_id": True, "status": "open"}),
        ("update", {"ticket_id": 7, "status": "closedd"}),
        ("update", {"ticket_id": 7, "comment": {"public": True}}),
        ("get", {"ticket_id": "../users"}),
        ("get", {"ticket_id": 7, "include": ["everything"]}),
        ("list", {"limit": 0}),
        ("list", {"status": "open"}),
        ("search", {}),
        ("incremental_export", {"start_time": "yesterday"}),
        ("incremental_export", {"start_time": -1}),
    ],
)
async def test_wrong_arguments_are_refused_before_anything_is_sent(support, action, params):
    """Unknown, missing and mistyped arguments end the call here."""
    connector, service = support(CREATED)
    with pytest.raises(InvalidParameterError):
        await connector.execute("tickets", action, params)
    assert [] == service.requests


async def test_a_new_ticket_has_a_key_that_a_retry_repeats(support):
    """A create is sent again after a server error under the key of the first try, and not as a second ticket."""
    connector, service = support((500, {}), httpx.ReadError("cut"), CREATED, max_attempts=3, timeout=30)
    assert 7 == (await connector.tickets.create(subject="a", comment={"body": "b"}))["id"]
    keys = [request.headers["idempotency-key"] for request in service.requests]
    assert 3 == len(keys)
    assert 1 == len(set(keys))
    assert 16 <= len(keys[0]) <= 255


async def test_two_calls_have_two_keys(support):
    """Each create is a ticket of its own."""
    connector, service = support(CREATED)
    for _ in range(2):
        await connector.tickets.create(subject="a", comment={"body": "b"})
    assert 2 == len({request.headers["idempotency-key"] for request in service.requests})


@pytest.mark.parametrize(("answer", "kind"), [((500, {}), ServiceError), (httpx.ReadError("cut"), NetworkError)])
@pytest.mark.parametrize(
    "call",
    [
        lambda connector: connector.tickets.update(7, status="open"),
        lambda connector: connector.ticket_comments.create(7, "Hi"),
    ],
)
async def test_other_writes_are_sent_once(support, answer, kind, call):
    """A write that Zendesk knows no key for is not repeated when its fate is unknown, and the error says so."""
    connector, service = support(answer, max_attempts=3)
    with pytest.raises(kind) as caught:
        await call(connector)
    assert 1 == len(service.requests)
    assert "unknown" == caught.value.details["fate"]
    assert "idempotency-key" not in service.requests[0].headers


async def test_a_comment_is_internal_unless_it_is_said_to_be_public(support):
    """An added comment goes out with `public`, false by default."""
    connector, service = support((200, {"ticket": TICKET, "audit": AUDIT}))
    await connector.ticket_comments.create(7, "Hi")
    await connector.ticket_comments.create(ticket_id=7, body="Hi", public=True, author_id=9, uploads=["t"])
    assert [
        ("PUT", "/api/v2/tickets/7", {}, {"ticket": {"comment": {"body": "Hi", "public": False}}}),
        (
            "PUT",
            "/api/v2/tickets/7",
            {},
            {"ticket": {"comment": {"body": "Hi", "public": True, "author_id": 9, "uploads": ["t"]}}},
        ),
    ] == service.sent


async def test_the_added_comment_is_the_audit_s(support):
    """Adding a comment returns that comment, which the answer holds among the events of its audit."""
    connector, _ = support((200, {"ticket": TICKET, "audit": AUDIT}))
    result = await connector.execute("ticket_comments", "create", {"ticket_id": 7, "body": "Hi"})
    assert AUDIT["events"][1] == result.data
    assert {"ticket": TICKET, "audit": AUDIT} == result.meta.included


@pytest.mark.parametrize("audit", [None, {}, {"events": []}, {"events": [{"type": "Change"}]}, {"events": "x"}])
async def test_an_update_without_its_comment_is_an_error(support, audit):
    """An accepted update that does not show the comment is an error that warns of adding it twice."""
    connector, _ = support((200, {"ticket": TICKET, "audit": audit}))
    with pytest.raises(ResponseIntegrityError) as caught:
        await connector.ticket_comments.create(7, "Hi")
    assert "before adding it again" in caught.value.hint


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("refund", "type:ticket refund"),
        ("", "type:ticket"),
        ("type:ticket refund", "type:ticket refund"),
        ("Type: Ticket refund", "Type: Ticket refund"),
        ("ticket_type:incident", "type:ticket ticket_type:incident"),
        ("sub-type:x", "type:ticket sub-type:x"),
    ],
)
async def test_a_search_is_held_to_tickets(support, query, sent):
    """A query that names no type is one for tickets."""
    connector, service = support(LISTS["results"])
    await connector.tickets.search(query)
    assert sent == service.sent[0][2]["query"]


@pytest.mark.parametrize(
    "query", ["type:user ann", "ann type:organization", "TYPE : user", "-type:user", "type:ticket type:user"]
)
async def test_a_search_for_other_records_is_refused(support, query):
    """A query for users or organizations would return what is no ticket, and is refused with the way out."""
    connector, service = support(LISTS["results"])
    with pytest.raises(InvalidParameterError, match=r"users\.search"):
        await connector.tickets.search(query)
    assert [] == service.requests


@pytest.mark.parametrize(
    "user",
    [
        {"id": None, "name": "Anonymous user"},
        {"name": "Anonymous user"},
        {"id": None},
        {"email": "invalid@example.com"},
    ],
)
async def test_an_anonymous_answer_is_no_success(support, user):
    """Zendesk answers 200 to unknown credentials, as to an anonymous user; that is AuthenticationError."""
    connector, _ = support({"user": user})
    with pytest.raises(AuthenticationError, match="anonymous"):
        await connector.users.me()
    checked = await connector.check()
    assert ("unhealthy", "authentication") == (checked["status"], checked["error"]["code"])


@pytest.mark.parametrize("answer", [{}, {"user": None}, {"user": {}}, {"user": []}])
async def test_an_answer_about_nobody_is_an_error(support, answer):
    """An answer that holds no user is neither a success nor a matter of credentials."""
    connector, _ = support(answer)
    with pytest.raises(ResponseIntegrityError):
        await connector.users.me()


async def test_a_healthy_check_says_who_is_calling(support):
    """A check names the user that the credentials belong to."""
    user = {"id": 9, "name": "Ann", "email": "ann@example.com", "role": "admin", "phone": "1"}
    connector, _ = support({"user": user})
    assert {
        "status": "healthy",
        "user": {"id": 9, "name": "Ann", "email": "ann@example.com", "role": "admin"},
    } == await connector.check()


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
async def test_a_check_never_raises_what_the_service_answers(support, status):
    """A check reports a failure as data."""
    connector, _ = support((status, {}))
    checked = await connector.check()
    assert "unhealthy" == checked["status"]
    assert status == checked["error"]["details"]["status"]


async def test_a_download_is_the_record_and_then_a_window_of_the_file(support):
    """A download reads the attachment's record, then the bytes that were asked for, of its own host with credentials."""
    part = httpx.Response(206, headers={"content-range": "bytes 3-6/10", "content-type": "text/plain"}, content=b"3456")
    connector, service = support({"attachment": FILE}, part)
    result = await connector.execute("attachments", "download", {"attachment_id": 8, "offset": 3, "max_bytes": 4})
    assert {
        "file_name": "a.txt",
        "content_type": "text/plain",
        "size": 10,
        "offset": 3,
        "length": 4,
        "encoding": "utf-8",
        "content": "3456",
    } == result.data
    assert (True, "Continue with offset=7.") == (result.meta.has_more, result.meta.note)
    assert [("GET", "/api/v2/attachments/8", {}, None), ("GET", "/a/b", {"n": "1"}, None)] == service.sent
    assert "bytes=3-6" == service.requests[1].headers["range"]


async def test_a_file_s_host_gets_no_credentials(support):
    """The redirect to the host of files is followed without the account's credentials."""
    away = httpx.Response(302, headers={"location": "https://p1.zdusercontent.com/x?sig=1"})
    connector, service = support({"attachment": FILE}, away, httpx.Response(200, content=b"hello"))
    assert "hello" == (await connector.attachments.download(8))["content"]
    assert [True, True, False] == ["authorization" in request.headers for request in service.requests]
    assert "p1.zdusercontent.com" == service.requests[2].url.host


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/x", "https://zdusercontent.com.evil.com/x", "http://169.254.169.254/latest", "http://p1.zdusercontent.com/x",
        "https://evilzdusercontent.com/x", "file:///etc/passwd", "https://user:pass@p1.zdusercontent.com/x",
    ],
)  # fmt: skip
async def test_a_file_elsewhere_is_not_fetched(support, url):
    """Neither a file's address nor a redirect leads to a host that does not serve Zendesk's files."""
    connector, service = support({"attachment": {**FILE, "content_url": url}})
    with pytest.raises(Exception, match=r"host|link") as caught:
        await connector.attachments.download(8)
    assert caught.value.code in {"invalid_parameter", "response_integrity"}
    assert 1 == len(service.requests)
    away = httpx.Response(302, headers={"location": url})
    connector, service = support({"attachment": FILE}, away)
    with pytest.raises(ResponseIntegrityError):
        await connector.attachments.download(8)
    assert 2 == len(service.requests)


async def test_an_id_inside_the_body_may_repeat_the_paths(support):
    """Some clients put the record's id into the nested body as well; the same id is dropped, another is refused."""
    connector, service = support((200, {"ticket": TICKET}))
    await connector.execute("tickets", "update", {"ticket_id": 7, "ticket": {"id": 7, "priority": "urgent"}})
    assert {"ticket": {"priority": "urgent"}} == service.sent[0][3]
    with pytest.raises(InvalidParameterError, match="not the same"):
        await connector.execute("tickets", "update", {"ticket_id": 7, "ticket": {"id": 8, "priority": "urgent"}})
    assert 1 == len(service.sent)


async def test_a_ticket_needs_no_subject(support):
    """Zendesk takes a ticket without a subject, and so do we."""
    connector, service = support(CREATED)
    await connector.tickets.create(comment={"body": "b"})
    assert {"ticket": {"comment": {"body": "b", "public": False}}} == service.sent[0][3]


async def test_nobody_is_given_the_session(support):
    """The session's authenticity token opens the account's pages to forged requests: no caller, event or model has it."""
    me = {"id": 1, "name": "Ann"}
    connector, _ = support((200, {"user": {**me, "authenticity_token": "csrf"}}))

    @connector.tool_utils
    async def ask(entity: str, action: str, params: dict | None = None):
        return await connector.execute(entity, action, params)

    assert me == await connector.users.me()
    assert me == (await connector.execute("users", "me", select_fields=["id", "name", "authenticity_token"])).data
    assert me == (await ask("users", "me"))["data"]


def test_rare_parameters_come_last_and_untyped():
    """The overview names every parameter, those that few calls need at the end of an action and without their types."""
    line = next(line for line in ZendeskSupportConnector.describe().splitlines() if "tickets.create" in line)
    assert line.index("custom_fields?") < line.index("via_followup_source_id?")
    assert "via_followup_source_id?: int" not in line
    assert "via_followup_source_id: int" in ZendeskSupportConnector.describe("tickets", "create")


@pytest.mark.parametrize("params", [{}, {"subject": None}, {"tags": None, "comment": None}, {"ticket": None}])
async def test_an_update_that_changes_nothing_is_refused(support, params):
    """A call that would be told of as done, and change nothing, is not sent."""
    connector, service = support((200, {"ticket": TICKET}))
    with pytest.raises(InvalidParameterError, match="nothing to change"):
        await connector.execute("tickets", "update", {"ticket_id": 7, **params})
    assert [] == service.sent


async def test_a_body_with_its_id_is_enough(support):
    """A nested body that has the record's id needs no other, and an id outside is pointed to the right name."""
    connector, service = support((200, {"ticket": TICKET}))
    await connector.execute("tickets", "update", {"ticket": {"id": 7, "status": "open"}})
    assert ("PUT", "/api/v2/tickets/7") == tuple(service.sent[0][:2])
    with pytest.raises(InvalidParameterError, match="did you mean `ticket_id`"):
        await connector.execute("tickets", "update", {"id": 7, "status": "open"})


@pytest.mark.parametrize(
    ("action", "params", "wrong"),
    [
        ("search", {"query": "x", "sort_order": "descending"}, '"asc"'),
        ("list", {"sort": "updated_at desc"}, '"updated_at"'),
        ("update", {"ticket_id": 7, "status": "in progress"}, '"new"'),
        ("update", {"ticket_id": 7, "comment": {"body": "x", "id": 5}}, "author_id"),
    ],
)
async def test_a_corrected_call_guesses_nothing_that_does_harm(support, action, params, wrong):
    """Where it is not plain what was meant, the corrected call has the choices instead of one of them."""
    connector, _ = support(CREATED)
    with pytest.raises(InvalidParameterError) as caught:
        await connector.execute("tickets", action, params)
    assert wrong not in caught.value.hint


async def test_the_deadline_is_of_the_whole_list(support):
    """A list over many pages has no more time than any call: the error names the cursor as the way on."""

    numbers = itertools.count()

    def endless(request: httpx.Request) -> httpx.Response:
        page = {"tickets": [TICKET], "meta": {"has_more": True, "after_cursor": f"c{next(numbers)}"}}
        return httpx.Response(200, json=page)

    connector = ZendeskSupportConnector(
        ZendeskSupportOauth20AuthConfig(access_token="t"),
        subdomain="acme",
        timeout=0.2,
        http=httpx.MockTransport(endless),
    )
    with pytest.raises(DeadlineExceededError):
        await connector.tickets.list(limit=10**9)


@pytest.mark.parametrize(
    "settings",
    [{"base_url": 5}, {"timeout": None}, {"timeout": "9"}, {"max_attempts": None}, {"policy": "read_only"}],
)
def test_settings_of_the_wrong_type_are_named(settings):
    """A setting of the wrong type is a ConfigurationError, not Python's own."""
    with pytest.raises(ConfigurationError):
        ZendeskSupportConnector(ZendeskSupportOauth20AuthConfig(access_token="t"), subdomain="acme", **settings)


@pytest.mark.parametrize("name", [["tickets"], {"a": 1}, None, 5])
async def test_names_of_the_wrong_type_are_unknown(support, name):
    """An entity or action that is no text is an unknown one."""
    connector, _ = support(CREATED)
    for entity, action in ((name, "list"), ("tickets", name)):
        with pytest.raises(UnknownOperationError):
            await connector.execute(entity, action)


@pytest.mark.parametrize(("given", "meant"), [("per_page", "limit"), ("page", "cursor"), ("page[size]", "limit")])
async def test_other_services_names_are_pointed_to_ours(support, given, meant):
    """Zendesk's own paging parameters are refused with the name that stands for them here."""
    connector, service = support(CREATED)
    with pytest.raises(InvalidParameterError, match=f"did you mean `{meant}`"):
        await connector.execute("tickets", "list", {given: 5})
    assert [] == service.sent
