"""Error answers of a hosted service, in all their forms, read into named errors."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay import errors
from plugbay.errors import PlugbayError
from plugbay.hosted.errors import is_settled, read_error, rebuilt
from plugbay.transport import Request, Response

REQUEST = Request("POST", "/api/v1/x")
CLASSES = [
    kind
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type) and issubclass(kind, PlugbayError)
]
texts = st.text(string.printable, min_size=1, max_size=60).map(lambda text: " ".join(text.split())).filter(bool)
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**6) | texts, lambda each: st.lists(each, max_size=3)
)


def answer(status, body, **headers):
    """An answer with a body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@given(
    st.sampled_from(CLASSES), texts, st.none() | texts, st.booleans(), st.none() | st.floats(0, 1e6),
    st.dictionaries(texts, values, max_size=3),
)  # fmt: skip
def test_the_very_error(kind, message, hint, retryable, after, details):
    """What `plugbay serve` raised is raised again: class, words, whether and when to repeat, and all facts."""
    error = kind(message, hint=hint, retryable=retryable, retry_after=after, details=details)
    body = {"message": "m", "errors": [], "error": json.loads(json.dumps(error.payload()))}
    read = read_error(REQUEST, answer(418, body, x_request_id="r-1"))
    assert (kind, error.payload(), "r-1") == (type(read), read.payload(), read.request_id)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ValidationFailedError), (401, errors.AuthenticationError), (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError), (409, errors.ConflictError), (413, errors.ValidationFailedError),
        (422, errors.ValidationFailedError), (429, errors.RateLimitedError), (500, errors.ServiceError),
        (503, errors.ServiceError),
    ],
)  # fmt: skip
def test_by_status(status, kind):
    """Without a class of its own the status decides, and the words are the service's."""
    mistakes = [{"field": "name", "message": "too long", "error_code": "too_long", "details": None}]
    read = read_error(REQUEST, answer(status, {"message": "It does not fit.", "errors": mistakes}))
    assert kind is type(read)
    assert f"The hosted service answered {status} to POST /api/v1/x: It does not fit." == read.message
    assert {"status": status, "service_code": "too_long", "fields": {"name": ["too long"]}} == read.details


@pytest.mark.parametrize(
    ("body", "said", "fields"),
    [
        ({"detail": "Not authenticated"}, "Not authenticated", None),
        ({"detail": [{"loc": ["body", "name"], "msg": "Field required", "type": "missing", "input": "hush"}]},
         "Field required", {"name": ["Field required"]}),
        ({"detail": [{"loc": ["query", "limit"], "msg": "too large"}, {"msg": "odd"}]},
         "too large; odd", {"query.limit": ["too large"]}),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two", None),
        ({"errors": "no list", "detail": 5, "message": None}, None, None),
        ([], None, None),
        (b"<html>nginx</html>", None, None),
        (b"", None, None),
        ({"error": {"code": "no_such_code", "message": "m"}}, None, None),
        ({"error": {"code": "not_found", "message": 5}}, None, None),
        ({"error": {"code": ["x"], "message": "m"}}, None, None),
    ],
)  # fmt: skip
def test_other_forms(body, said, fields):
    """The words are found in whichever form they come, what was sent is not quoted, and no form is an exception."""
    read = read_error(REQUEST, answer(422, body))
    assert f"The hosted service answered 422 to POST /api/v1/x{f': {said}' if said else ''}." == read.message
    assert fields == read.details.get("fields")
    assert "hush" not in str(read.payload())


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Connector not found"},
        {"detail": "No such connector."},
        {"errors": [{"error_code": "connector_not_found"}]},
    ],
)
def test_a_missing_connector(body):
    """A 404 about the connector is told from one about something else."""
    assert errors.ConnectorNotFoundError is type(read_error(REQUEST, answer(404, body)))
    assert errors.NotFoundError is type(read_error(REQUEST, answer(404, {"message": "Record not found"})))


@pytest.mark.parametrize(
    "wrong",
    [
        {"retryable": "yes"},
        {"retry_after": "soon"},
        {"retry_after": -1},
        {"retry_after": True},
        {"details": [1]},
        {"hint": 5},
    ],
)
def test_odd_parts(wrong):
    """Parts of another type are left out."""
    read = rebuilt({"code": "conflict", "message": "m", **wrong})
    assert errors.ConflictError("m").payload() == read.payload()


def test_settled():
    """An execution that was seen through to its end says so in two ways, and needs both."""
    payload = {"error": errors.ServiceError("m").payload()}
    assert is_settled(answer(502, payload, x_should_retry="false"))
    assert not is_settled(answer(502, payload))
    assert not is_settled(answer(502, {"message": "m"}, x_should_retry="false"))
