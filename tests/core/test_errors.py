"""One hierarchy, one payload."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plugbay
from plugbay import errors
from plugbay.errors import PlugbayError, RateLimitedError, clip

KINDS = [
    kind for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PlugbayError) and kind is not PlugbayError
]  # fmt: skip


def test_every_error_is_exported():
    """Every error class is in the module's list, in the package, and in the tree of the module's docstring."""
    names = {kind.__name__ for kind in KINDS}

    assert names <= set(errors.__all__)
    assert names <= set(plugbay.__all__)
    assert all(name in errors.__doc__ for name in names)
    assert sorted(errors.__all__) == errors.__all__


def test_package_names_are_sorted_and_there():
    """`plugbay.__all__` is sorted and complete: every public name of the package is in it."""
    public = {
        name for name, value in vars(plugbay).items()
        if not name.startswith("_") and not (hasattr(value, "__spec__") and hasattr(value, "__file__"))
    }  # fmt: skip

    assert sorted(plugbay.__all__) == list(plugbay.__all__)
    assert all(hasattr(plugbay, name) for name in plugbay.__all__)
    assert public - set(plugbay.__all__) <= {"annotations", "TYPE_CHECKING", "Any"}


def test_codes_are_distinct():
    """No two classes share a code."""
    codes = [kind.code for kind in [PlugbayError, *KINDS]]

    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", [PlugbayError, *KINDS])
def test_payload(kind):
    """The payload has six keys and is JSON."""
    error = kind("m", hint="h", details={"fields": {}})

    payload = error.payload()

    assert ["code", "message", "hint", "retryable", "retry_after", "details"] == list(payload)
    assert payload == json.loads(json.dumps(payload))
    assert ("m h", "m", kind.retryable_by_default) == (str(error), error.message, error.retryable)


@pytest.mark.parametrize("kind", [PlugbayError, *KINDS])
@pytest.mark.parametrize("way", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_copies(kind, way):
    """An error survives pickling and copying with all its facts, notes too."""
    error = kind("m", hint="h", retryable=True, retry_after=3.5, details={"a": 1}, request_id="r")
    error.add_note("n")

    other = way(error)

    assert type(other) is kind
    assert vars(error) == vars(other)
    assert (str(error), error.args) == (str(other), other.args)


def test_messages_are_clipped():
    """A message as long as a page is cut."""
    assert 1_000 == len(PlugbayError("x" * 5_000_000).message)
    assert ("abc", "ab…") == (clip("abc", 3), clip("abcd", 3))


def test_own_retryable_wins():
    """Whether to try again is the class's word unless the error has its own."""
    assert True is RateLimitedError("m").retryable
    assert False is RateLimitedError("m", retryable=False).retryable


def test_hints_and_details_are_clipped():
    """A hint and the texts in details, keys too, are as bounded as the message."""
    error = PlugbayError("m", hint="h" * 5_000, details={"k" * 5_000: ["v" * 5_000]}, request_id="r" * 5_000)

    assert (2_000, 200) == (len(error.hint), len(error.request_id))
    assert [("k" * 999 + "…", ["v" * 999 + "…"])] == list(error.details.items())


def test_a_log_line_cannot_be_forged():
    """Line breaks and escapes in what a service said become harmless, wherever in the error they stand."""
    forged = "no\r\n2026-01-01 ERROR \x1b[31mall is lost\x1b[0m\u202e"
    error = PlugbayError(forged, hint=forged, details={forged: {"said": [forged, 1, None]}}, request_id=forged)

    plain = "no 2026-01-01 ERROR [31mall is lost[0m"
    assert f"{plain} {plain}" == str(error)
    assert (plain,) == error.args
    assert plain == error.request_id
    assert {plain: {"said": [plain, 1, None]}} == error.details == error.payload()["details"]


def test_what_is_set_later_is_plain_too():
    """Texts that are added while an error is on its way out are treated like the first ones."""
    error = PlugbayError("m")
    error.hint, error.details, error.message = "a\nb", {"c": "d\ne"}, "f\ng"

    assert ("f g a b", {"c": "d e"}) == (str(error), error.details)


texts = st.text(max_size=60) | st.lists(st.sampled_from("\n\r\x1b\x00\x85\u2028\u202e\ud800ab "), max_size=20).map(
    "".join
)


@given(texts, st.none() | texts, st.none() | st.dictionaries(texts, texts | st.lists(texts)))
def test_any_error_is_one_line(message, hint, details):
    """Whatever the texts, an error is one line that can be written anywhere, and keeps all its facts in copies."""
    error = PlugbayError(message, hint=hint, details=details, request_id=hint)

    assert len(str(error).splitlines()) <= 1
    assert "\x1b" not in str(error)
    assert str(error) == str(error).encode().decode()
    assert len(json.dumps(error.payload(), ensure_ascii=False).splitlines()) == 1
    assert vars(error) == vars(pickle.loads(pickle.dumps(error)))
