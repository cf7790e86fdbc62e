"""One hierarchy, one payload."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

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
