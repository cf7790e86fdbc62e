"""Connector and its entities: execute(), check(), typed access, describe()."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from plugbay.context import Step, ToolCall, current_tool_call
from plugbay.declare import entity
from plugbay.download import Download, Stream
from plugbay.errors import ConfigurationError, InvalidParameterError, PlugbayError, UnknownOperationError
from plugbay.executor import Executor
from plugbay.mending import nearest
from plugbay.observer import Observer
from plugbay.operation import Operation
from plugbay.outbound import build_request
from plugbay.outcome import Outcome
from plugbay.policy import Policy, Rules
from plugbay.result import LONG_TEXT, Listing, Meta, Page, Result, clip_texts, exclude, select
from plugbay.sink import check_told
from plugbay.tools.catalogue import action_text, catalogue_text, entity_text, parameter_list, record_schema
from plugbay.tools.decorator import ToolUtils

if TYPE_CHECKING:
    from typing import Self

    from plugbay.events import Listener
    from plugbay.sync import SyncConnector

__all__ = ["Connector"]


class Connector:
    """A service's entities, reached with one account's credentials.

    A subclass names the service and lists its entities. An object may be used from any number of event loops
    and threads; building one does no work and opens nothing.

    Args:
        executor: Who sends the calls.
        policy: What may be done with this connector, by anybody. Without one a programmer's calls are free and
            a model's calls read-only.
        on_event: Is told what happens within calls; see `plugbay.events`.
        record_content: Whether events and spans hold arguments and results.
    """

    slug: ClassVar[str] = ""
    definition_id: ClassVar[str] = ""
    """What a hosted service knows this kind of connector by."""
    title: ClassVar[str] = ""
    operations: ClassVar[Mapping[str, Mapping[str, Operation]]] = {}
    entity_docs: ClassVar[Mapping[str, str]] = {}

    tool_utils: ClassVar[ToolUtils] = ToolUtils()
    """Decorator that makes a function an agent's tool on this connector; see `plugbay.tools.tool_utils`."""

    def __init__(
        self,
        executor: Executor,
        *,
        policy: Policy | None = None,
        on_event: Listener | None = None,
        record_content: bool = False,
    ) -> None:
        if not isinstance(policy, Policy | None):  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are checked
            raise ConfigurationError("policy must be a plugbay.Policy.")
        if on_event is not None:
            check_told(on_event, "on_event", "one event")
        self._executor = executor
        self.policy = policy
        self._observer = Observer(self.slug, on_event, record_content=record_content)

    def __init_subclass__(cls) -> None:
        values = [value for base in reversed(cls.__mro__) for value in vars(base).values()]
        entities: list[entity[Any]] = [value for value in values if isinstance(value, entity)]
        cls.operations = {found.name: found.operations() for found in entities}
        cls.entity_docs = {found.name: " ".join((found.kind.__doc__ or "").split()) for found in entities}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        await self._executor.aclose()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> Any:
        raise TypeError(f"{type(self).__name__} holds credentials and is not pickled; build it where it is used.")

    @property
    def sync(self) -> SyncConnector:
        """The same connector for synchronous code: `connector.sync.tickets.get(1)`."""
        from plugbay.sync import SyncConnector  # noqa: PLC0415 - asynchronous users do not pay for its thread

        return SyncConnector(self)

    async def execute(
        self,
        entity: str,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        select_fields: Sequence[str] | None = None,
        exclude_fields: Sequence[str] | None = None,
        skip_truncation: bool = True,
    ) -> Result:
        """Runs an action by its name.

        Args:
            entity: As `tickets`.
            action: As `list`.
            params: The action's arguments by name.
            select_fields: Keep only these fields of each record; dotted names reach inside.
            exclude_fields: Leave these fields out.
            skip_truncation: Whether to leave long texts whole; False cuts each to 2,000 characters.

        Raises:
            UnknownOperationError: There is no such entity or action.
            InvalidParameterError: The arguments do not fit; nothing was sent.
            PolicyDeniedError: The policy forbids it; nothing was sent.
            PlugbayError: Any other failure, by its class.
        """
        operation = self.find(entity, action)
        select_fields, exclude_fields = _names(select_fields), _names(exclude_fields)
        outcome = await self._run(operation, {} if params is None else params)
        data = outcome.data
        call = current_tool_call()
        if call is not None and (select_fields or exclude_fields):
            call.shaped = True
        if select_fields:
            data = select(data, select_fields)
        if exclude_fields:
            data = exclude(data, exclude_fields)
        if not skip_truncation:
            data = clip_texts(data, LONG_TEXT)
        if call is not None and len(call.done) == 1:
            call.done[0].data = data
        return Result.model_construct(data=data, meta=outcome.meta)

    async def check(self) -> Mapping[str, Any]:
        """Whether the service accepts the credentials.

        Returns:
            `{"status": "healthy", ...}` with who the credentials belong to, or
            `{"status": "unhealthy", "error": {...}}` with the failure.
        """
        try:
            with self._observer.watch_check():
                return {"status": "healthy", **await self._identity()}
        except PlugbayError as error:
            return {"status": "unhealthy", "error": error.payload()}

    async def _identity(self) -> Mapping[str, Any]:
        """Who the credentials belong to; raises if the service does not accept them."""
        raise NotImplementedError

    @classmethod
    def find(cls, entity: str, action: str) -> Operation:
        """The operation of that name.

        Raises:
            UnknownOperationError: There is none; the error names the nearest.
        """
        actions = cls.operations.get(str(entity))
        if actions is None:
            raise _unknown("entity", str(entity), cls.operations)
        operation = actions.get(str(action))
        if operation is None:
            raise _unknown(f"action of {entity}", str(action), actions)
        return operation

    @classmethod
    def describe(cls, entity: str | None = None, action: str | None = None) -> str:
        """The catalogue as text: of everything, of one entity, or of one action with all its parameters.

        Raises:
            UnknownOperationError: There is no such entity or action.
        """
        if entity is None:
            return catalogue_text(cls)
        if action is None:
            if entity not in cls.operations:
                raise _unknown("entity", entity, cls.operations)
            return entity_text(cls, entity)
        return action_text(cls.find(entity, action))

    @classmethod
    def list_entities(cls) -> list[dict[str, Any]]:
        """Each entity with `entity_name`, `description`, `available_actions` and `parameters` by action."""
        return [
            {
                "entity_name": name,
                "description": cls.entity_docs[name],
                "available_actions": list(actions),
                "parameters": {action: parameter_list(operation) for action, operation in actions.items()},
            }
            for name, actions in cls.operations.items()
        ]

    @classmethod
    def entity_schema(cls, name: str) -> dict[str, Any]:
        """The JSON schema of an entity's record.

        Raises:
            UnknownOperationError: There is no such entity.
        """
        if name not in cls.operations:
            raise _unknown("entity", name, cls.operations)
        return record_schema(cls.operations[name])

    def _bind(self, entity: str, action: str) -> Callable[..., Any]:
        """The typed call of an action."""
        operation = self.operations[entity][action]
        if operation.kind == "list":
            return lambda *values, **named: self._listing(operation, values, named)
        if operation.kind == "download":
            return lambda *values, **named: self._download(operation, values, named)
        return lambda *values, **named: self._one(operation, values, named)

    async def _one(self, operation: Operation, values: Sequence[Any], named: Mapping[str, Any]) -> Any:
        return (await self._run(operation, operation.arguments.positional(values, named))).data

    def _listing(self, operation: Operation, values: Sequence[Any], named: Mapping[str, Any]) -> Listing[Any]:
        bound = self._bound(operation, operation.arguments.positional(values, named))
        limit, cursor = bound.pop("limit", None), bound.pop("cursor", None)

        async def fetch(limit: int | None, cursor: str | None, *, patient: bool) -> Page[Any]:
            outcome = await self._send(operation, {**bound, "limit": limit, "cursor": cursor}, patient=patient)
            return Page(outcome.data, outcome.meta)

        largest = operation.pager.largest if operation.pager else 1
        return Listing(fetch, limit=limit, cursor=cursor, page_size=largest)

    def _download(self, operation: Operation, values: Sequence[Any], named: Mapping[str, Any]) -> Download[Any]:
        bound = self._bound(operation, operation.arguments.positional(values, named))

        async def read() -> Any:
            return (await self._send(operation, bound)).data

        async def run(work: Callable[[Stream], Awaitable[Mapping[str, Any]]]) -> Any:
            async def sent() -> Outcome:
                return Outcome(await work(partial(self._executor.stream, operation, bound)), Meta())

            return (await self._send(operation, bound, sent=sent)).data

        return Download(read, run, is_part=bool(bound.get("offset")) or "max_bytes" in bound)

    async def _run(self, operation: Operation, params: Mapping[str, Any]) -> Outcome:
        """The way of every call: bind, ask the policy, send."""
        return await self._send(operation, self._bound(operation, params))

    def _bound(self, operation: Operation, params: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return operation.arguments.bind(params)
        except InvalidParameterError as error:
            self._observer.refused(operation, params, error)
            raise

    async def _send(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        *,
        patient: bool = False,
        sent: Callable[[], Awaitable[Outcome]] | None = None,
    ) -> Outcome:
        call = current_tool_call()
        with self._observer.watch(operation, arguments, call) as watch:
            rules = self._rules(call)
            rules.check(operation)
            if rules.dry(operation):
                outcome = _dry(operation, arguments)
            elif sent is not None:
                outcome = await sent()
            else:
                outcome = await self._executor.run(operation, arguments, patient=patient)
            if operation.hidden:
                outcome = outcome._replace(data=exclude(outcome.data, operation.hidden))
            watch.gave(outcome)
        if call is not None:
            call.done.append(Step(operation, outcome.data, outcome.resume_at))
        return outcome

    def _rules(self, call: ToolCall | None) -> Rules:
        own = [self.policy] if self.policy is not None else []
        if call is None:
            return Rules(own)
        return Rules([*own, *([call.policy] if call.policy is not None else [])], by_model=True, only=call.only)


def _names(fields: Any) -> Sequence[str]:
    """Names of fields, as they are or as one text with commas, which a list of names is easily written as."""
    if isinstance(fields, str):
        return [name.strip() for name in fields.split(",") if name.strip()]
    names: list[Any] = list(fields or ())
    if not all(isinstance(name, str) for name in names):
        raise InvalidParameterError("Fields are chosen by their names.", hint='As in ["id", "via.channel"].')
    return names


def _dry(operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
    request = build_request(operation, arguments)
    sent = {"method": request.method, "path": request.path, "query": dict(request.query), "body": request.json}
    return Outcome({"would_send": sent}, Meta(dry_run=True, note="Dry run: nothing was sent."))


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> UnknownOperationError:
    close = nearest(name, known)
    return UnknownOperationError(
        f"There is no {what} named {name[:60]!r}." + (f" Did you mean {close!r}?" if close else ""),
        hint=f"Known: {', '.join(known)}.",
        details={"allowed": list(known)},
    )
