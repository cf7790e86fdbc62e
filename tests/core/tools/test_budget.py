"""A result fits its budget, and what was cut can be had."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.tools.budget import SMALLEST_BUDGET, compact, fit, fit_failure
from plugbay.tools.envelope import Envelope

short = st.text(max_size=20)
long_texts = st.integers(0, 20_000).map(lambda count: ('é"\n' * count)[:count])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | short | long_texts,
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(short | long_texts, inner, max_size=10),
    max_leaves=60,
)
metas = st.fixed_dictionaries(
    {},
    optional={
        "has_more": st.booleans(),
        "cursor": short | long_texts,
        "count": st.integers(),
        "included": values,
        "note": short | long_texts,
        "extra": values,
    },
)
budgets = st.integers(SMALLEST_BUDGET, 6_000)


@given(values, metas, budgets, st.none() | st.integers(0, 3_000), st.booleans())
def test_never_exceeds_its_budget(data, meta, budget, cursor, window):
    """Whatever the data, the answer is JSON within the budget; what fits is untouched, the rest is explained."""
    envelope = Envelope(data=data, meta=meta)
    before = str(envelope)
    resume_at = None if cursor is None else (lambda count: f"{count}.{'c' * cursor}")

    made = fit(envelope, budget, resume_at, window=window)

    assert budget >= len(str(made))
    assert {"data", "meta"} == set(made) == set(json.loads(str(made)))
    assert before == str(envelope)
    if made is not envelope:
        assert made["meta"]["note"]
    else:
        assert budget >= len(before)


records = st.lists(
    st.fixed_dictionaries({"id": st.integers(), "a": short, "b": st.lists(short, max_size=5)}), max_size=80
)


@given(records, budgets, st.integers(0, 400))
def test_records_are_cut_from_the_end(data, budget, cursor):
    """Records that fit are whole and the first ones, and the cursor is that of the first that was cut."""
    meta = {"has_more": True, "cursor": "behind all", "count": len(data)}

    made = fit(Envelope(data=data, meta=meta), budget, lambda count: f"{count}." + "c" * cursor)

    kept = len(made["data"])
    assert data[:kept] == made["data"]
    assert kept == made["meta"]["count"]
    assert made["meta"]["has_more"]
    if kept == len(data):
        assert "behind all" == made["meta"]["cursor"]
    else:
        assert kept > 0, "a short record always fits"
        assert f"{kept}." + "c" * cursor == made["meta"]["cursor"]


@given(st.lists(st.integers(1, 600), min_size=1, max_size=120), budgets, st.integers(1, 130))
def test_following_the_cursor_gives_what_was_cut(worlds, sizes, budget, limit):
    """A tool's answers, read on with meta.cursor, give every record once, in order, however they were cut."""
    boxes = [{"id": index, "name": "n" * size} for index, size in enumerate(sizes)]

    def answer(request):
        at, size = int(request.url.params.get("page[after]", 0)), int(request.url.params["page[size]"])
        meta = {"has_more": at + size < len(boxes), "after_cursor": str(at + size)}
        return {"boxes": boxes[at : at + size], "meta": meta}

    cellar = worlds().cellar(answer)

    @cellar.tool_utils(max_output_chars=budget)
    async def cellar_tool(entity: str, action: str, params: dict):
        return await cellar.execute(entity, action, params)

    async def read():
        found, cursor = [], None
        while True:
            params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
            envelope = await cellar_tool("boxes", "list", params)
            assert budget >= len(str(envelope))
            assert envelope["data"]
            found += [box["id"] for box in envelope["data"]]
            if not envelope["meta"]["has_more"]:
                return found
            cursor = envelope["meta"]["cursor"]

    assert list(range(len(boxes))) == asyncio.run(read())


def test_one_record_too_large():
    """A record that does not fit alone is not given, and no cursor passes over it."""
    envelope = Envelope(
        data=[{str(index): index for index in range(5_000)}, {}], meta={"has_more": True, "cursor": "c"}
    )

    made = fit(envelope, 1_000, str)

    assert ([], None, True) == (made["data"], made["meta"]["cursor"], made["meta"]["has_more"])
    assert "0 of 2 records fit; ask for fewer records or fields." in made["meta"]["note"]


def test_long_texts_go_before_records():
    """Long texts are cut before records are dropped, and say how long they were."""
    made = fit(Envelope(data=[{"id": 1, "text": "x" * 50_000}, {"id": 2}], meta={}), 5_000)

    assert [1, 2] == [record["id"] for record in made["data"]]
    assert made["data"][0]["text"].endswith("… [48000 more characters]")
    assert "Long texts were cut to 2,000 characters." == made["meta"]["note"]


def test_object_loses_its_largest_fields():
    """From an object the largest fields go, by name."""
    made = fit(Envelope(data={"id": 1, "big": list(range(5_000)), "small": "x"}, meta={}), 1_000)

    assert {"id": 1, "small": "x"} == made["data"]
    assert "Left out for size: big." in made["meta"]["note"]


def test_text_keeps_its_start():
    """A text keeps as much of its start as fits."""
    made = fit(Envelope(data="é" * 50_000, meta={}), 2_000)

    assert len(made["data"]) > 1_800
    assert "it has 50,000 characters" in made["meta"]["note"]


@pytest.mark.parametrize("content", [bytes(range(256)) * 200, ("naïve 日本\n" * 4_000).encode()])
async def test_file_is_read_in_parts_that_fit(world, content):
    """A file's part that is too large becomes a shorter part, so that reading on loses no byte."""
    import httpx

    def answer(request):
        if request.url.path == "/files/1":
            return {"file": {"id": 1, "file_name": "f", "url": "https://cellar.example.com/raw"}}
        first, last = request.headers["range"].removeprefix("bytes=").split("-")
        part = content[int(first) : int(last) + 1]
        total = {"content-range": f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"}
        return httpx.Response(206, content=part, headers=total)

    cellar = world.cellar(answer)

    @cellar.tool_utils(max_output_chars=3_000)
    async def files(entity: str, action: str, params: dict):
        return await cellar.execute(entity, action, params)

    whole, offset = b"", 0
    while True:
        envelope = await files("files", "download", {"file_id": 1, "offset": offset})
        assert len(str(envelope)) <= 3_000
        data = envelope["data"]
        part = base64.b64decode(data["content"]) if data["encoding"] == "base64" else data["content"].encode()
        assert (offset, len(part)) == (data["offset"], data["length"])
        whole, offset = whole + part, offset + len(part)
        if not envelope["meta"]["has_more"]:
            break
        assert f"Continue with offset={offset}." == envelope["meta"]["note"]

    assert content == whole


@given(values, short | long_texts, st.none() | long_texts, budgets)
def test_failures_fit_too(details, message, hint, budget):
    """A failure is within the budget as well; details go before words."""
    error = {
        "code": "c", "message": message, "hint": hint, "retryable": False, "retry_after": None, "details": details,
    }  # fmt: skip

    made = fit_failure(Envelope(error=error), budget)

    assert budget >= len(str(made))
    assert list(error) == list(made["error"])


class TestCompact:
    """What tells a model something."""

    RECORD = {"id": 1, "name": "A", "state": None, "text": "x"}  # noqa: RUF012

    def test_lists_are_cut_to_the_summary(self, worlds):
        """Records in a list are cut to the summary fields, which the note says."""
        made = compact(Envelope(data=[self.RECORD], meta={"count": 1}), worlds.Cellar.find("boxes", "list"), ())

        assert [{"id": 1, "name": "A"}] == made["data"]
        assert "Summary fields only; params.select_fields chooses others." == made["meta"]["note"]

    def test_one_record_stays_whole(self, worlds):
        """A record read by itself keeps all that is not empty."""
        made = compact(Envelope(data=self.RECORD, meta={}), worlds.Cellar.find("boxes", "get"), ())

        assert {"id": 1, "name": "A", "text": "x"} == made["data"]

    def test_fields_that_were_asked_for(self, worlds):
        """Fields that were asked for win over the summary."""
        made = compact(Envelope(data=[self.RECORD], meta={}), worlds.Cellar.find("boxes", "list"), ["text"])

        assert ([{"text": "x"}], {}) == (made["data"], made["meta"])

    def test_dry_run_is_shown_whole(self, worlds):
        """What a dry run would have sent is not cut to summary fields."""
        data = {"would_send": {"path": "/boxes"}}

        made = compact(Envelope(data=data, meta={"dry_run": True}), worlds.Cellar.find("boxes", "create"), ())

        assert data == made["data"]
