from __future__ import annotations

import dataclasses
import math

import pytest

from plugbay.sandbox import Failure, Sandbox
from plugbay.sandbox.failure import What


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({}, "say what"),
        ({"when": "after"}, "say what"),
        ({"delay": 0}, "say what"),
        ({"status": 100}, "status must be from 200 to 599, not 100"),
        ({"status": 600}, "status must be"),
        ({"delay": -1}, "delay must be"),
        ({"delay": math.nan}, "delay must be"),
        ({"delay": math.inf}, "delay must be"),
        ({"drip": -1}, "drip must be"),
        ({"truncate": -1}, "truncate must be"),
        ({"bomb": 1}, "bomb must be"),
        ({"deep": 0}, "deep must be"),
        ({"header_bytes": -1}, "header_bytes must be"),
        ({"status": 500, "when": "never"}, "when must be"),
        ({"shape": "round"}, "unknown shape 'round'; known: empty, null"),
        ({"redirect": "/", "status": 200}, "status 200 is no redirect"),
        ({"status": 200, "headers": {"Content-Length": "3"}}, "Content-Length goes with the body"),
        ({"reset": True, "close": True}, "reset excludes close"),
        ({"hang": True, "status": 200}, "hang excludes status"),
        ({"close": True, "truncate": 0}, "close excludes truncate"),
        ({"reset": True, "headers": {"a": "b"}}, "reset excludes headers"),
        ({"body": {}, "bomb": 100}, "body excludes bomb"),
        ({"deep": 3, "redirect": "/"}, "deep excludes redirect"),
        ({"status": 204, "body": "x"}, "status 204 excludes body"),
        ({"status": 304, "deep": 2}, "status 304 excludes deep"),
        ({"shape": "null", "status": 200}, "shape excludes status"),
        ({"shape": "null", "body": False}, "shape excludes body"),
        ({"truncate": 3, "when": "before"}, "truncate changes the application's answer"),
        ({"shape": "null", "when": "before"}, "shape changes the application's answer"),
    ],
)
def test_refused(what, says):
    """A failure that says nothing, is out of range or contradicts itself is refused with the reason."""
    with pytest.raises(ValueError, match=says):
        Failure(**what)


@pytest.mark.parametrize(
    ("what", "when"),
    [
        ({"status": 503}, "before"),
        ({"reset": True}, "before"),
        ({"delay": 1}, "before"),
        ({"status": 503, "truncate": 3}, "before"),
        ({"bomb": 100, "drip": 1}, "before"),
        ({"truncate": 0}, "after"),
        ({"drip": 1}, "after"),
        ({"shape": "null"}, "after"),
        ({"chunked": True}, "after"),
        ({"headers": {"a": "b"}}, "after"),
        ({"header_bytes": 5}, "after"),
        ({"status": 503, "when": "after"}, "after"),
        ({"delay": 1, "when": "after"}, "after"),
    ],
)
def test_when(what, when):
    """A failure strikes before the request is carried out, unless it needs the application's answer or says otherwise."""
    assert when == Failure(**what).when


def test_fields_are_the_keywords_of_fail():
    """The keyword arguments of `Sandbox.fail` are the fields of a `Failure`, by name and by type."""
    fields = {field.name: field.type for field in dataclasses.fields(Failure)}

    assert fields == {name: part.__forward_arg__ for name, part in What.__annotations__.items()}


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        ({"path": "tickets"}, 'a path begins with "/"'),
        ({"nth": 0}, "nth counts from 1"),
        ({"times": 0}, "times must be at least 1"),
    ],
)
def test_selection_refused(selection, says):
    """A selection that can never hit is refused when the fault is set."""
    sandbox = Sandbox(tickets=0, calls=0)

    with pytest.raises(ValueError, match=says):
        sandbox.fail(**selection, status=503)
