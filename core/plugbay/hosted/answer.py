"""The envelope in which the hosted service answers an execution, and the records within it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from plugbay.errors import PlugbayError, ServiceError, clip
from plugbay.hosted.errors import rebuilt
from plugbay.inbound import incomplete
from plugbay.json_safe import is_list, is_object
from plugbay.operation import Effect, Operation
from plugbay.trace import current_trace

__all__ = ["Answer", "read_answer", "record_of", "records_of"]

SUCCESS = "success"


class Answer(NamedTuple):
    """What an execution gave.

    Attributes:
        result: A record, or the records of a list.
        meta: What the service says beside it.
        whole: All that was said, for an error that has to show it.
    """

    result: Any
    meta: Mapping[str, Any]
    whole: Any

    @property
    def pagination(self) -> Mapping[str, Any]:
        """How a list goes on."""
        told = self.meta.get("pagination")
        return told if is_object(told) else {}

    @property
    def is_dry(self) -> bool:
        """Whether the service's own policy let the call only be built, not sent."""
        return self.meta.get("dry_run") is True

    def said(self, name: str, kind: type) -> Any:
        """What the service says beside the result under that name, if it is of that type."""
        value = self.meta.get(name)
        return value if isinstance(value, kind) else None


def read_answer(operation: Operation, body: Any) -> Answer:
    """What an answer to an execution holds.

    Args:
        operation: What was executed.
        body: The answer.

    Raises:
        ServiceError: The service does not say that it succeeded.
        ResponseIntegrityError: It has no result.
    """
    if not is_object(body) or not isinstance(body.get("status"), str):
        raise incomplete(operation, "`status`", body)
    if body["status"] != SUCCESS:
        raise _failed(operation, body)
    if "result" not in body:
        raise incomplete(operation, "`result`", body)
    meta = body.get("connector_metadata")
    answer = Answer(body["result"], meta if is_object(meta) else {}, body)
    waited = answer.meta.get("waited")
    if isinstance(waited, int | float) and waited > 0:
        current_trace().waited += waited
    return answer


def record_of(operation: Operation, answer: Answer) -> Any:
    """The record that the operation promises; the vendor's service may give it as Zendesk does, under its key.

    Raises:
        ResponseIntegrityError: The answer does not hold it.
    """
    result = answer.result
    if operation.kind == "delete" and not answer.is_dry:
        return {"deleted": True}
    if is_object(result) and operation.read is not None and "audit" in result:
        return operation.read(result)
    if is_object(result) and operation.record and is_object(result.get(operation.record)):
        result = result[operation.record]
    if not is_object(result) or not result:
        raise incomplete(operation, "the record", answer.whole)
    return result


def records_of(operation: Operation, answer: Answer) -> list[Any]:
    """The records that the operation promises.

    Raises:
        ResponseIntegrityError: The answer does not hold a list of them.
    """
    records = answer.result
    if is_object(records) and operation.record:
        records = records.get(operation.record)
    if not is_list(records) or not all(is_object(record) for record in records):
        raise incomplete(operation, "a list of records", answer.whole)
    return records


def _failed(operation: Operation, body: Mapping[str, Any]) -> PlugbayError:
    """The error of an answer that is no success although its HTTP status is."""
    if (known := rebuilt(body.get("error"))) is not None:
        return known
    words = next(
        (text for name in ("error_message", "message", "error") if isinstance(text := body.get(name), str)), ""
    )
    status = clip(str(body["status"]), 50)
    error = ServiceError(
        f"{operation.name}: the hosted service answered with the status {status!r}" + (f": {words}" if words else "."),
        details={"execution_status": status},
    )
    if operation.effect is not Effect.READ:
        error.hint, error.retryable = "It may have been done all the same.", False
        error.details = {"execution_status": status, "fate": "unknown"}
    return error
