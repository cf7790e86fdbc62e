"""A value in a query arrives as it was given, under its own name, and adds nothing."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile.service import Service, called, hostile_texts

from plugbay import InvalidParameterError, PlugbayError
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector

texts = (
    st.text()
    | hostile_texts
    | st.sampled_from(["&page=2", "a=b", "a+b", "100%", "%00", "%26x=1", "#x", "?", "a;b", " ", "+"])
)

PLACES = [
    ("tickets", "list", "external_id", {"page[size]": "100"}),
    ("users", "list", "external_id", {"page[size]": "100"}),
    ("users", "search", "query", {"page": "1", "per_page": "100"}),
    ("users", "search", "external_id", {"page": "1", "per_page": "100"}),
    ("tickets", "search", "query", {"page": "1", "per_page": "100"}),
]


def sent_query(service):
    """The query of the one request, decoded as a server would."""
    (request,) = service.requests
    raw = request.url.raw_path.decode("ascii").partition("?")[2]
    return parse_qsl(raw, keep_blank_values=True, strict_parsing=True)


@pytest.mark.parametrize(("entity", "action", "name", "others"), PLACES)
@given(text=texts)
@settings(max_examples=60)
def test_any_text_arrives_as_it_was(entity, action, name, others, text):
    """Whatever the text, the service reads the same text in that parameter, and no parameter more."""
    service = Service({})

    outcome = called(service, lambda connector: connector.execute(entity, action, {name: text}))

    assert isinstance(outcome, PlugbayError)  # the answer was empty
    if not service.requests:
        assert isinstance(outcome, InvalidParameterError)
        return
    query = sent_query(service)
    found = dict(query)
    assert len(query) == len(found)
    given_text = found.pop(name)
    assert others == found
    assert text == given_text or (action, f"type:ticket {text}".strip()) == ("search", given_text)


cursors = st.text() | hostile_texts | st.sampled_from(["https://evil.com/?page[after]=x", "..", "a&b=c"])
cursors = cursors.filter(lambda cursor: "\0" not in cursor)  # no call may have one


@pytest.mark.parametrize(
    ("kind", "entity", "action", "arguments", "answer", "parameter"),
    [
        (ZendeskSupportConnector, "tickets", "list", {}, lambda at: {"tickets": [{"id": 1}], "meta": {"has_more": True, "after_cursor": at}}, "page[after]"),
        (ZendeskSupportConnector, "tickets", "incremental_export", {"start_time": 1}, lambda at: {"tickets": [{"id": 1}], "end_of_stream": False, "after_cursor": at}, "cursor"),
    ],
)  # fmt: skip
@given(cursor=cursors)
@settings(max_examples=60)
def test_services_own_cursor_arrives_as_it_was(kind, entity, action, arguments, answer, parameter, cursor):
    """A place in a list comes back to the service as the service gave it, whatever it looks like."""
    service = Service(answer(cursor))

    async def act(connector):
        first = await connector.execute(entity, action, arguments)
        service.requests.clear()
        service.answer = {"tickets": [], "meta": {"has_more": False}, "end_of_stream": True}
        await connector.execute(entity, action, {**arguments, "cursor": first.meta.cursor})
        return sent_query(service)

    query = called(service, act, kind)

    if isinstance(query, PlugbayError):
        assert "" == cursor
    else:
        assert cursor == dict(query)[parameter]
        assert len(query) == len(dict(query))


@given(cursor=cursors)
@settings(max_examples=60)
def test_made_up_cursors_are_refused(cursor):
    """A cursor that no list gave is refused before anything is sent; an empty one is none."""
    service = Service({"tickets": []})

    outcome = called(service, lambda connector: connector.execute("tickets", "list", {"cursor": cursor}))

    assert isinstance(outcome, InvalidParameterError) or not cursor
    assert (not cursor) == bool(service.requests)


@given(
    links=st.text()
    | hostile_texts
    | st.sampled_from(["//evil.com?a=b", "https://evil.com:1/x?page=2&a=b", "javascript:x"])
)
@settings(max_examples=80)
def test_link_to_the_next_page_is_never_followed_elsewhere(links):
    """Of a link only the query is used: the request goes to the list's own place."""
    service = Service({"phone_numbers": [{"id": 1}], "next_page": links})

    async def act(connector):
        return [number async for number in connector.phone_numbers.list(limit=3)]

    called(service, act, ZendeskTalkConnector)

    assert service.requests
    for target in service.targets():
        assert ("acme.zendesk.com", "/api/v2/channels/voice/phone_numbers") == urlsplit(f"//{target}")[1:3]
