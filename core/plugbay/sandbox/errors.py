"""The shapes in which Zendesk refuses a request, and the exception that carries one."""

from __future__ import annotations

from typing import Any

from plugbay.sandbox.exchange import Reply

NO_ACCESS = "You do not have access to this page. Please contact the account owner of this help desk for further help."


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure
    """A request that is answered with an error; `reply` is that answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.reply = Reply(status, body, dict(headers or {}))


def not_found() -> Refused:
    """404 of a known kind of record whose id does not exist."""
    return Refused(404, {"error": "RecordNotFound", "description": "Not found"})


def no_endpoint() -> Refused:
    """404 of a path that the account does not have."""
    return Refused(404, {"error": "InvalidEndpoint", "description": "Not found"})


def forbidden() -> Refused:
    """403 of a caller whose role or plan does not reach this far."""
    return Refused(403, {"error": {"title": "Forbidden", "message": NO_ACCESS}})


def invalid_attribute(name: str, complaint: str, origin: str = "") -> Refused:
    """400 of a parameter of the wrong kind.

    Args:
        name: The parameter.
        complaint: What it must be, such as "must be an integer".
        origin: The handler that complains, such as "api/v2/search/index".
    """
    where = f" from {origin}" if origin else ""
    message = f"You passed an invalid value for the {name} attribute. Invalid parameter: {name} {complaint}{where}"
    return Refused(400, {"error": {"title": "Invalid attribute", "message": message}})


def json_api(status: int, code: str, title: str) -> Refused:
    """An error in the list form that newer parts of Zendesk use."""
    return Refused(status, {"errors": [{"code": code, "title": title}]})


def invalid_record(**details: dict[str, Any] | list[dict[str, Any]]) -> Refused:
    """422 of a record that failed validation; one entry, or a list of them, per field."""
    listed = {field: entry if isinstance(entry, list) else [entry] for field, entry in details.items()}
    body = {"error": "RecordInvalid", "description": "Record validation errors", "details": listed}
    return Refused(422, body)


def complaint(description: str, code: str | None = None, **extra: Any) -> dict[str, Any]:
    """One entry of a validation error's details."""
    return {"description": description, **({"error": code} if code else {}), **extra}


def plain(status: int, text: str) -> Refused:
    """An error whose body is a bare sentence, as Talk answers."""
    return Refused(status, text, {"content-type": "text/html; charset=utf-8"})


def simple(status: int, error: str, description: str | None = None) -> Refused:
    """An error with a code and, mostly, one sentence."""
    return Refused(status, {"error": error} | ({} if description is None else {"description": description}))
