"""Result, Page and Listing; choosing, leaving out, pruning, clipping."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay import ConfigurationError, InvalidParameterError, Listing, Page, ResponseIntegrityError, Result
from plugbay.result import Meta, clip_texts, exclude, prune, select

RECORD = {"id": 1, "via": {"channel": "web", "source": {"to": "a"}}, "tags": ["x"], "fields": [{"id": 7, "value": 1}]}


def listing(pages, **settings):
    """A list whose pages are given by cursor."""

    async def fetch(limit, cursor, *, patient):
        data, after = pages[cursor]
        return Page(data[:limit], Meta(has_more=after is not None, cursor=after))

    return Listing(fetch, **{"limit": None, "cursor": None, "page_size": 2, **settings})


class TestSelect:
    """Choosing and leaving out fields."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            (["id"], {"id": 1}),
            (["via.channel"], {"via": {"channel": "web"}}),
            (["fields.id"], {"fields": [{"id": 7}]}),
            (["via.source.to", "id"], {"via": {"source": {"to": "a"}}, "id": 1}),
            (["via", "via.channel"], {"via": RECORD["via"]}),
            (["via.channel", "via"], {"via": RECORD["via"]}),
            (["nothing", "tags.deep"], {"tags": ["x"]}),
        ],
    )
    def test_select(self, fields, expected):
        """Dotted names reach into objects and lists; a whole field stays whole whatever else is named in it."""
        assert expected == select(RECORD, fields)
        assert [expected] == select([RECORD], fields)

    @pytest.mark.parametrize("shape", [select, exclude])
    def test_very_long_names(self, shape):
        """A name of very many parts costs as much as it is long, and reaches nothing."""
        names = ["via." * 250_000, *[f"via.{'channel.' * 1_600}{number}" for number in range(200)]]

        expected = {"via": {"channel": "web"}} if shape is select else RECORD
        assert expected == shape(RECORD, names)

    def test_exclude(self):
        """Excluded fields are gone, at any depth, and the rest is as it was."""
        expected = {"id": 1, "via": {"channel": "web"}, "fields": [{"value": 1}]}

        assert expected == exclude(RECORD, ["tags", "via.source", "fields.id"])
        assert {"id": 1} == exclude(RECORD, ["tags", "via", "via.source", "fields"])

    @given(st.lists(st.sampled_from(["id", "via", "via.channel", "via.source", "via.source.to", "tags", "fields.id"])))
    def test_select_and_exclude_share_nothing(self, fields):
        """What is chosen by some names is not in what is left without them, down to the last value."""

        def leaves(value, path=()):
            if isinstance(value, dict):
                return {leaf for key, item in value.items() for leaf in leaves(item, (*path, key))}
            if isinstance(value, list):
                return {leaf for item in value for leaf in leaves(item, path)}
            return {path}

        chosen = leaves(select(RECORD, fields)) if fields else set()

        assert set() == chosen & leaves(exclude(RECORD, fields))
        assert leaves(RECORD) == chosen | leaves(exclude(RECORD, fields))


class TestShaping:
    """Pruning and clipping."""

    def test_prune_keeps_false_and_zero(self):
        """Only what tells nothing goes: nulls, empty texts, lists and objects; false and zero are facts."""
        data = [{"a": None, "b": "", "c": [], "d": {"e": None}, "f": False, "g": 0, "h": [{"i": None}]}]

        assert [{"f": False, "g": 0, "h": [{}]}] == prune(data)

    def test_clip_says_how_much_is_gone(self):
        """A cut text says how many characters are missing."""
        assert {"a": ["xx… [98 more characters]"]} == clip_texts({"a": ["x" * 100]}, 2)

    @given(st.text(max_size=80), st.integers(1, 40))
    def test_clip_never_makes_longer(self, text, limit):
        """Clipping never makes a text longer, and leaves short ones alone."""
        clipped = clip_texts(text, limit)

        assert len(text) >= len(clipped)
        assert clipped == text or clipped.startswith(text[:limit])


class TestMeta:
    """What is known beside the data."""

    def test_without_nulls(self):
        """What is not known is not printed, and is None when asked for."""
        result = Result(data=[], meta=Meta(has_more=False, cursor=None))

        assert {"data": [], "meta": {"has_more": False}} == result.model_dump(mode="json")
        assert (False, None, None) == (result.meta.has_more, result.meta.cursor, result.meta.total)

    def test_as_a_mapping(self):
        """Meta is read like the JSON it becomes."""
        meta = Meta(cursor="c", extra=1)

        assert ("c", 1, "d") == (meta["cursor"], meta.get("extra"), meta.get("total", "d"))
        with pytest.raises(KeyError):
            meta["nothing"]

    def test_slip_in_a_name(self):
        """A name that no meta has is an error, not None: `meta.hasmore` would end every list."""
        with pytest.raises(AttributeError):
            Meta(has_more=True).hasmore  # noqa: B018

    def test_result_as_json(self):
        """A result is printed as data and meta."""
        assert {"data": [{"id": 1}], "meta": {"count": 1}} == Result(data=[{"id": 1}], meta=Meta(count=1)).model_dump(
            mode="json"
        )


class TestListing:
    """A list is awaited for a page and iterated for all."""

    PAGES = {None: ([1, 2], "b"), "b": ([3, 4], "c"), "c": ([5], None)}  # noqa: RUF012

    async def test_await_is_one_page(self):
        """Awaiting reads one page, which is a sequence of its records."""
        page = await listing(self.PAGES)

        assert ([1, 2], 2, "b") == (list(page), len(page), page.meta.cursor)

    async def test_iterating_reads_to_the_end(self):
        """Iterating reads page after page, and again from the start when repeated."""
        numbers = listing(self.PAGES)

        assert [[1, 2, 3, 4, 5]] * 2 == [[n async for n in numbers] for _ in range(2)]

    @pytest.mark.parametrize("limit", range(1, 7))
    async def test_iterating_ends_at_the_limit(self, limit):
        """With a limit iterating ends there."""
        assert [1, 2, 3, 4, 5][:limit] == [n async for n in listing(self.PAGES, limit=limit)]

    async def test_iterating_from_a_cursor(self):
        """A cursor says where iterating begins."""
        assert [3, 4, 5] == [n async for n in listing(self.PAGES, cursor="b")]

    async def test_circle_of_pages(self):
        """Pages that lead back to one that was read are an error, not an endless list."""
        pages = {None: ([1], "a"), "a": ([2], "b"), "b": ([3], "a")}

        with pytest.raises(ResponseIntegrityError, match="same page twice"):
            [n async for n in listing(pages)]

    @staticmethod
    def _ends_early():
        async def fetch(limit, cursor, *, patient):
            return Page([1, 2], Meta(has_more=True, note="Narrow it."))

        return fetch

    async def test_end_before_the_end(self):
        """A list that cannot be read to its end says so instead of ending."""
        with pytest.raises(InvalidParameterError, match="Narrow it"):
            [n async for n in Listing(self._ends_early(), limit=3, cursor=None, page_size=2)]

    async def test_limit_before_the_end(self):
        """Where a list cannot go on is no concern of a reader who has all they asked for."""
        assert [1, 2] == [n async for n in Listing(self._ends_early(), limit=2, cursor=None, page_size=2)]


class TestLongReading:
    """Reading a list to its end as work that nobody sits before."""

    PAGES = MappingProxyType({None: ([1, 2], "b"), "b": ([3, 4], "c"), "c": ([5], None)})

    async def test_pages(self):
        """A list can be read page by page; each page's cursor goes on behind it."""
        pages = [(page.data, page.meta.cursor) async for page in listing(self.PAGES).pages()]
        assert [([1, 2], "b"), ([3, 4], "c"), ([5], None)] == pages

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
    async def test_pages_up_to_a_limit(self, limit):
        """With a limit the last page is as short as that."""
        data = [number async for page in listing(self.PAGES, limit=limit).pages() for number in page]
        assert [1, 2, 3, 4, 5][:limit] == data

    async def test_progress_is_told_behind_each_page(self):
        """The callback hears of a page when all its records were given out, with the cursor that goes on there."""
        seen = []
        async for number in listing(self.PAGES).progress(seen.append):
            seen.append(number)  # noqa: PERF401 - in between come the reports
        assert [1, 2, (2, 1, None, "b"), 3, 4, (4, 2, None, "c"), 5, (5, 3, None, None)] == seen

    def test_progress_that_nobody_would_await(self):
        """What is told of progress is called and not awaited, so a coroutine function is refused."""

        async def tell(progress): ...

        for wrong in (tell, None):
            with pytest.raises(ConfigurationError, match="progress"):
                listing(self.PAGES).progress(wrong)

    async def test_a_crash_loses_nothing(self):
        """Whoever kept the last cursor goes on from there, and has each record at least once."""
        kept, given = [], []
        async for number in listing(self.PAGES).progress(lambda progress: kept.append(progress.cursor)):
            given.append(number)
            if number == 4:
                break
        again = [number async for number in listing(self.PAGES, cursor=kept[-1])]
        assert ([1, 2, 3, 4], [3, 4, 5]) == (given, again)

    async def test_who_awaits_has_no_patience(self):
        """Awaiting a page is a call that somebody sits before; iterating is not."""
        patience = []

        async def fetch(limit, cursor, *, patient):
            patience.append(patient)
            return Page([1], Meta(has_more=False))

        a_list = Listing(fetch, limit=None, cursor=None, page_size=2)
        await a_list
        assert [1] == [number async for number in a_list]
        assert [False, True] == patience
