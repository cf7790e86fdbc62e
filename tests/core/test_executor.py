"""From bound arguments to a request, and from an answer to the record it must hold."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay import InvalidParameterError, ResponseIntegrityError
from plugbay.outbound import build_request
from plugbay.window import window


def NULL(_):  # noqa: N802 - JSON's null, which httpx sends as nothing
    return httpx.Response(200, content=b"null")


def body_of(request):
    return json.loads(request.content)


class TestOutbound:
    """What is sent."""

    async def test_get(self, world):
        """Path arguments go into the path, the others into the query, lists joined by commas."""
        await world.cellar({"box": {"id": 5}}).boxes.get(5, include=["lid", "lock"])

        (request,) = world.requests
        assert ("GET", "/boxes/5", {"include": "lid,lock"}) == (
            request.method, request.url.path, dict(request.url.params),
        )  # fmt: skip

    async def test_body_is_nested(self, world):
        """Body fields travel under the operation's key, defaults and explicit nulls among them."""
        cellar = world.cellar({"box": {"id": 5}})

        await cellar.boxes.create(name="A", sealed=False)
        await cellar.boxes.update(5, owner=None)

        assert [{"box": {"name": "A", "size": 1, "sealed": False}}, {"box": {"owner": None}}] == [
            body_of(request) for request in world.requests
        ]

    async def test_wire_names_and_places(self, world):
        """A parameter with another name or place on the wire travels there."""
        await world.cellar({"box": {"id": 5}}).boxes.update(5, kind="crate", dry=True)

        (request,) = world.requests
        assert {"box": {"box_kind": "crate"}} == body_of(request)
        assert "true" == request.url.params["dry"]

    async def test_fixed_query(self, world):
        """Query parameters that every call sends are sent."""
        await world.cellar({"boxes": [], "count": 0}).boxes.search("x")

        assert "2" == world.requests[0].url.params["v"]

    async def test_nothing_is_sent_when_refused(self, world):
        """A refused call sends nothing, by name or typed."""
        cellar = world.cellar({})
        with pytest.raises(InvalidParameterError):
            await cellar.execute("boxes", "create", {"name": "A", "nmae": "B"})
        with pytest.raises(InvalidParameterError):
            await cellar.boxes.get(0)
        with pytest.raises(InvalidParameterError):
            cellar.boxes.list(limit=0)

        assert [] == world.requests


class TestPath:
    """A path argument stays in its place."""

    @pytest.mark.parametrize("key", ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "%2e", "%2F", "a\nb", "\1"])
    async def test_refused(self, world, key):
        """What could leave its place in the path, or end it, is refused."""
        with pytest.raises(InvalidParameterError) as caught:
            await world.cellar({"thing": {}}).things.get(key, "p")

        assert {"key": ["not an id"]} == caught.value.details["fields"]
        assert [] == world.requests

    @given(st.text(st.characters(exclude_categories=[])), st.text())
    def test_never_leaves(self, worlds, key, part):
        """Any text arrives as the one segment it was given for, or is refused."""
        world = worlds()
        cellar = world.cellar({"thing": {"id": 1}})
        try:
            asyncio.run(cellar.things.get(key, part))
        except InvalidParameterError:
            assert [] == world.requests
            return

        raw = world.requests[0].url.raw_path.decode()
        segments = raw.split("/")

        assert ["", "things", "parts"] == [segments[0], segments[1], segments[3]]
        assert 5 == len(segments)
        assert not set(raw) & set("?#")
        assert {"", ".", ".."}.isdisjoint({segments[2], segments[4]})
        assert f"/things/{key}/parts/{part}" == world.requests[0].url.path

    def test_braces_are_not_filled_twice(self, worlds):
        """An argument that looks like a placeholder is not filled with another."""
        operation = worlds.Cellar.find("things", "get")

        request = build_request(operation, {"key": "{part}", "part": "p"})

        assert "/things/%7Bpart%7D/parts/p" == request.path


class TestInbound:
    """An answer without the promised record is an error, never an empty success."""

    @pytest.mark.parametrize("answer", [{}, NULL, [], 5, "x", {"box": None}, {"box": []}, {"box": {}}, {"box": "x"}])
    async def test_record(self, world, answer):
        """No answer but one with the record is taken."""
        with pytest.raises(ResponseIntegrityError) as caught:
            await world.cellar(answer).boxes.get(1)

        assert "boxes.get" in caught.value.message
        assert caught.value.hint is None

    @pytest.mark.parametrize(
        "answer", [{}, NULL, [{"id": 1}], {"boxes": None}, {"boxes": {}}, {"boxes": [1]}, {"boxes": [None]}]
    )
    async def test_records(self, world, answer):
        """No answer but one with a list of records is taken for a list."""
        with pytest.raises(ResponseIntegrityError, match=r"boxes\.list"):
            await world.cellar(answer).boxes.list()

    @pytest.mark.parametrize(
        "answer", [{}, {"box": {}}, httpx.Response(200), httpx.Response(200, text="<html>"), httpx.Response(204)]
    )
    async def test_write_may_have_been_done(self, world, answer):
        """When a write's answer cannot be used, the error says that it may have been done."""
        with pytest.raises(ResponseIntegrityError) as caught:
            await world.cellar(answer).boxes.create(name="A")

        assert "may have been done" in caught.value.hint
        assert "unknown" == caught.value.details["fate"]
        assert not caught.value.retryable

    async def test_error_shows_what_came(self, world):
        """The error says what came instead, cut short."""
        with pytest.raises(ResponseIntegrityError) as caught:
            await world.cellar({"other": "x" * 10_000}).boxes.get(1)

        assert caught.value.details["received"].startswith('{"other":"xxx')
        assert 500 >= len(caught.value.details["received"])

    async def test_delete_needs_no_record(self, world):
        """A delete is answered without a record, and says that it was done."""
        result = await world.cellar(httpx.Response(204)).execute("boxes", "delete", {"box_id": 1})

        assert {"deleted": True} == result.data

    async def test_what_came_beside(self, world):
        """What came beside the record is in meta.included; paging fields are not."""
        result = await world.cellar({"box": {"id": 1}, "owner": {"id": 2}, "count": 1, "empty": None}).execute(
            "boxes", "get", {"box_id": 1}
        )

        assert {"owner": {"id": 2}} == result.meta.included

    async def test_record_that_is_the_answer(self, world):
        """An answer that is the record itself is not given a second time beside it."""
        result = await world.cellar({"id": 1}).execute("boxes", "plain", {"box_id": 1})

        assert ({"id": 1}, None) == (result.data, result.meta.included)

    async def test_unknown_fields_are_kept(self, world):
        """A record is given as it came, whatever the service added to it."""
        record = {"id": "not a number", "new": [None]}

        assert record == await world.cellar({"box": record}).boxes.get(1)


class TestDownload:
    """Files are read in parts."""

    @staticmethod
    def _service(content):
        def answer(request):
            if request.url.path == "/files/1":
                file = {
                    "id": 1,
                    "file_name": "a.txt",
                    "content_type": "text/plain",
                    "url": "https://cellar.example.com/raw",
                }
                return {"file": file}
            first, last = request.headers["range"].removeprefix("bytes=").split("-")
            part = content[int(first) : int(last) + 1]
            if not part:
                return httpx.Response(416, headers={"content-range": f"bytes */{len(content)}"})
            total = {"content-range": f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"}
            return httpx.Response(206, content=part, headers=total)

        return answer

    @pytest.mark.parametrize(
        "content", ["naïve 日本語 🎉 text".encode(), b"\x00\x01\xff" * 9, b"caf\xe9", b"ab\xe2\x82"]
    )
    @pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
    async def test_parts_make_the_whole(self, world, content, size):
        """Going on where each part says gives every byte once, whatever the letters that parts end in."""
        cellar = world.cellar(self._service(content))
        whole, offset = b"", 0
        while True:
            result = await cellar.execute("files", "download", {"file_id": 1, "offset": offset, "max_bytes": size})
            data = result.data
            part = httpx.Response(200, content=data["content"]).content
            if data["encoding"] == "base64":
                import base64

                part = base64.b64decode(data["content"])
            assert (offset, len(part), len(content)) == (data["offset"], data["length"], data["size"])
            whole, offset = whole + part, offset + data["length"]
            if not result.meta.has_more:
                break
            assert f"Continue with offset={offset}." == result.meta.note

        assert content == whole

    async def test_record_without_an_address(self, world):
        """A file that does not say where it is is an error."""
        with pytest.raises(ResponseIntegrityError, match="address of the file"):
            await world.cellar({"file": {"id": 1}}).files.download(1)

    def test_empty_file(self):
        """An empty file is an empty text, with nothing behind it."""
        outcome = window({}, b"", 0, 0)

        assert ("", "utf-8", False) == (outcome.data["content"], outcome.data["encoding"], outcome.meta.has_more)


class TestZendesk:
    """What matters most on Zendesk's wire."""

    CREATE = {"subject": "s", "comment": {"body": "b"}}  # noqa: RUF012
    AUDIT = {"ticket": {"id": 1}, "audit": {"events": [{"id": 2, "type": "Comment", "body": "b", "public": False}]}}  # noqa: RUF012

    async def test_comments_say_whether_they_are_public(self, world):
        """A comment always says on the wire whether the customer sees it, and by default says no."""
        zd = world.support(self.AUDIT)

        await zd.tickets.create(**self.CREATE)
        await zd.tickets.create(subject="s", comment={"body": "b", "public": True})
        await zd.tickets.update(1, comment={"body": "b"})
        await zd.execute(
            "tickets", "update", {"ticket_id": 1, "ticket": {"comment": '{"body": "b", "public": "true"}'}}
        )
        await zd.ticket_comments.create(1, "b")
        await zd.ticket_comments.create(1, "b", public=True)

        assert [False, True, False, True, False, True] == [
            body_of(request)["ticket"]["comment"]["public"] for request in world.requests
        ]

    async def test_create_is_sent_under_a_key(self, world):
        """A ticket is made under an idempotency key, another one for each call."""
        zd = world.support(self.AUDIT)

        await zd.tickets.create(**self.CREATE)
        await zd.tickets.create(**self.CREATE)

        assert 2 == len({request.headers["idempotency-key"] for request in world.requests})

    async def test_null_clears(self, world):
        """Null takes an assignee away; a subject that is null is not given."""
        await world.support(self.AUDIT).tickets.update(1, assignee_id=None, subject=None)

        assert {"ticket": {"assignee_id": None}} == body_of(world.requests[0])
