"""`tool_utils`: turns a function into an agent's tool.

The function gets a description with the whole catalogue, a schema that models
understand, results of bounded size, and failures as data instead of exceptions that
end a run. It stays a real function: frameworks refuse callable objects.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast, overload

from plugbay.context import Step, ToolCall, open_tool_call
from plugbay.errors import ConfigurationError, InvalidParameterError, NetworkError, PlugbayError, clip
from plugbay.json_safe import is_object
from plugbay.policy import Policy, Rules
from plugbay.result import Page, Result
from plugbay.tools.adapter import Adapter, find_adapter, is_control_flow
from plugbay.tools.budget import SMALLEST_BUDGET, compact, fit, fit_failure
from plugbay.tools.catalogue import Catalogue, catalogue_text
from plugbay.tools.envelope import Envelope, as_failure, failure, is_failure, success
from plugbay.tools.parameters import read_params, tool_annotations

__all__ = ["MAX_OUTPUT_CHARS", "Settings", "ToolUtils", "identified", "tool_utils", "wrap"]

F = TypeVar("F", bound=Callable[..., Any])

MAX_OUTPUT_CHARS = 40_000
"""Characters of JSON that a tool's result may have unless it is told otherwise."""

_LONGEST_REASON = 300
"""Characters of what Python says of arguments that do not fit; it names them, however long their names are."""

_log = logging.getLogger("plugbay.tools")
_call_id: ContextVar[str | None] = ContextVar("plugbay_call_id", default=None)


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """How one tool is to behave; see `tool_utils` for each."""

    catalogues: tuple[Catalogue, ...]
    framework: str | None = None
    update_docstring: bool = True
    max_output_chars: int = MAX_OUTPUT_CHARS
    policy: Policy | None = None
    internal_retries: int = 0
    should_internal_retry: Callable[[Exception, tuple[Any, ...], dict[str, Any]], bool] | None = None
    exhausted_runtime_failure_message: Callable[[Exception, tuple[Any, ...], dict[str, Any]], str | None] | None = None
    only: Policy | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.policy, Policy | None):  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are checked
            raise ConfigurationError("policy must be a plugbay.Policy.")
        if not isinstance(self.max_output_chars, int) or self.max_output_chars < SMALLEST_BUDGET:  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are checked
            raise ConfigurationError(f"max_output_chars must be at least {SMALLEST_BUDGET}.")
        for each in self.catalogues:
            if not hasattr(each, "operations"):
                raise ConfigurationError(
                    f"tool_utils takes a function or connectors, not {type(each).__name__}.",
                    hint="Settings are given by name, as in tool_utils(framework=...).",
                )
        if self.internal_retries < 0:
            raise ConfigurationError("internal_retries must not be negative.")

    def rules(self, catalogue: Catalogue) -> Rules:
        """What decides which actions of a catalogue the model is told of.

        A connector's class does not know the policy of the connector that will be called, and which writes that
        gives leave for.
        """
        policies = [policy for policy in (getattr(catalogue, "policy", None), self.policy) if policy is not None]
        return Rules(policies, by_model=not isinstance(catalogue, type), only=self.only)


class Described(Protocol):
    """A connector or its class. Each is a `Catalogue`; pyright does not see it in a connector, see `Catalogued`."""

    def describe(self, entity: str | None = None, action: str | None = None) -> str: ...


@contextmanager
def identified(call_id: str | None) -> Generator[None]:
    """Gives the tool called inside the block the framework's id of the call."""
    token = _call_id.set(call_id)
    try:
        yield
    finally:
        _call_id.reset(token)


class ToolUtils:
    """`tool_utils` as an attribute of connectors: on the class, and on a connector, whose policy it then knows."""

    def __get__(self, instance: Any, owner: Any) -> Callable[..., Any]:
        return functools.partial(tool_utils, owner if instance is None else instance)


@overload
def tool_utils(function: F, /) -> F: ...
@overload
def tool_utils(
    *connectors: Described,
    framework: str | None = ...,
    update_docstring: bool = ...,
    max_output_chars: int = ...,
    policy: Policy | None = ...,
    internal_retries: int = ...,
    should_internal_retry: Callable[[Exception, tuple[Any, ...], dict[str, Any]], bool] | None = ...,
    exhausted_runtime_failure_message: Callable[[Exception, tuple[Any, ...], dict[str, Any]], str | None] | None = ...,
) -> Callable[[F], F]: ...
def tool_utils(*arguments: Any, **settings: Any) -> Any:  # noqa: D417 - the overload's names are explained
    """Decorator that makes a function a tool for any agent framework.

    It is used bare (`@tool_utils`), with settings (`@tool_utils(framework="langchain")`), and with connectors
    whose catalogues the description is to carry (`@tool_utils(support, talk)`). Put the framework's own decorator
    above it.

    Args:
        arguments: The function, or connectors.
        framework: Hands failures over in this framework's own manner. Left out, they are envelopes, which is
            right in all of them.
        update_docstring: Whether to add the catalogue to the function's docstring.
        max_output_chars: Characters of JSON that a result may have.
        policy: What a model may do with this tool; a connector's own policy must agree as well.
        internal_retries: How many times the function is called again, unseen by the model, after a failure.
        should_internal_retry: Called with the failure, the positional and the named arguments: whether this one
            is worth calling again. Without it, failures that say they are retryable and name no wait.
        exhausted_runtime_failure_message: Called in the same way when the retries are used up: the message for
            the model, or None for the failure's own.

    Returns:
        A function that returns a `dict` whose `str()` is JSON: `{"data": ..., "meta": {...}}`, or
        `{"error": {"code", "message", "hint", "retryable", "retry_after", "details"}}`.

    Raises:
        ConfigurationError: A setting is wrong, or the framework or its adapter is not installed.
    """
    functions = [argument for argument in arguments if inspect.isroutine(argument)]
    catalogues = tuple(argument for argument in arguments if not inspect.isroutine(argument))
    for each in catalogues:
        if not hasattr(each, "operations"):
            raise ConfigurationError(
                f"tool_utils takes a function or connectors, not {type(each).__name__}.",
                hint="Put it on a `def` or `async def`; frameworks do not take callable objects.",
            )
    made = Settings(catalogues, **settings)
    if functions:
        return wrap(functions[0], made)
    return functools.partial(wrap, settings=made)


def wrap(function: Any, settings: Settings) -> Any:
    """The function as a tool; see `tool_utils`."""
    adapter = find_adapter(settings.framework)
    tool = _Tool(function, settings, adapter)

    @functools.wraps(function)
    async def run_async(*values: Any, **named: Any) -> Any:
        return await tool.run_async(values, named)

    @functools.wraps(function)
    def run_sync(*values: Any, **named: Any) -> Any:
        return tool.run_sync(values, named)

    wrapper: Any = run_async if inspect.iscoroutinefunction(function) else run_sync
    _present(wrapper, function, settings)
    return wrapper


def _present(wrapper: Any, function: Any, settings: Settings) -> None:
    """Gives the wrapper the annotations, signature and docstring that frameworks read."""
    signature = inspect.signature(function)
    wrapper.__annotations__ = tool_annotations(function, signature, settings.catalogues)
    wrapper.__signature__ = signature.replace(
        parameters=[
            parameter.replace(annotation=wrapper.__annotations__.get(name, inspect.Parameter.empty))
            for name, parameter in signature.parameters.items()
        ],
        return_annotation=inspect.Signature.empty,
    )
    if settings.update_docstring and settings.catalogues:
        own = (inspect.getdoc(function) or "").partition("\n\n")[0].strip()
        texts = [catalogue_text(each, settings.rules(each)) for each in settings.catalogues]
        wrapper.__doc__ = "\n\n".join([text for text in (own, *texts) if text])


class _Tool:
    """One wrapped function: calls it, retries it, and turns whatever comes into an envelope."""

    def __init__(self, function: Any, settings: Settings, adapter: Adapter) -> None:
        self._function = function
        self._settings = settings
        self._adapter = adapter
        self._signature = inspect.signature(function)
        # A function with these parameters passes the model's choice on; others choose for themselves.
        self._generic = {"entity", "action"} <= set(self._signature.parameters)

    async def run_async(self, values: tuple[Any, ...], named: dict[str, Any]) -> Any:
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        attempt, call_id = 0, _taken_call_id(values, named)
        while True:
            try:
                with open_tool_call(self._open(call_id)) as call:
                    arguments = self._prepare(call, values, named)
                    value = await self._function(*arguments.args, **arguments.kwargs)
                    if inspect.isawaitable(value):  # a list, returned without awaiting it
                        value = await value
                return self._end(self._shaped(call, value))
            except asyncio.CancelledError:
                if _really_cancelled():
                    raise
                return self._end(failure(NetworkError("The call was broken off from within.")))
            except Exception as error:  # noqa: BLE001 - a failing tool must never end a run
                attempt += 1
                if not self._again(error, attempt, values, named):
                    return self._end(self._failure(error, values, named))

    def run_sync(self, values: tuple[Any, ...], named: dict[str, Any]) -> Any:
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        attempt, call_id = 0, _taken_call_id(values, named)
        while True:
            try:
                with open_tool_call(self._open(call_id)) as call:
                    arguments = self._prepare(call, values, named)
                    value = _at_hand(self._function(*arguments.args, **arguments.kwargs))
                return self._end(self._shaped(call, value))
            except asyncio.CancelledError:
                if _really_cancelled():
                    raise
                return self._end(failure(NetworkError("The call was broken off from within.")))
            except Exception as error:  # noqa: BLE001 - a failing tool must never end a run
                attempt += 1
                if not self._again(error, attempt, values, named):
                    return self._end(self._failure(error, values, named))

    def _open(self, call_id: str | None) -> ToolCall:
        settings = self._settings
        return ToolCall(self._function.__name__, call_id=call_id, policy=settings.policy, only=settings.only)

    def _prepare(self, call: ToolCall, values: tuple[Any, ...], named: dict[str, Any]) -> inspect.BoundArguments:
        """The function's arguments, with a model's slips in `entity`, `action` and `params` put right."""
        try:
            arguments = self._signature.bind(*values, **named)
        except TypeError as error:
            raise InvalidParameterError(
                f"The tool's arguments do not fit: {clip(str(error), _LONGEST_REASON)}.",
                hint="Call it with the arguments that its schema names.",
            ) from None
        if self._generic:
            for name in ("entity", "action"):
                if name in arguments.arguments:
                    arguments.arguments[name] = str(arguments.arguments[name]).strip().lower().replace("-", "_")
            if "params" in arguments.arguments:
                params, call.select_fields = read_params(arguments.arguments["params"])
                arguments.arguments["params"] = params
        return arguments

    def _shaped(self, call: ToolCall, value: Any) -> Envelope:
        """What the function returned as an envelope of bounded size."""
        if is_object(value) and set(value) == {"error"}:
            return as_failure(value["error"])
        envelope = success(value)
        step = call.done[0] if len(call.done) == 1 and _hands_on(value, call.done[0]) else None
        if step is None:
            return fit(envelope, self._settings.max_output_chars)
        if self._generic and not call.shaped:
            envelope = compact(envelope, step.operation, call.select_fields)
        is_file = step.operation.kind == "download"
        return fit(envelope, self._settings.max_output_chars, step.resume_at, window=is_file)

    def _again(self, error: Exception, attempt: int, values: tuple[Any, ...], named: dict[str, Any]) -> bool:
        """Whether to call the function once more after `attempt` failed calls."""
        if attempt > self._settings.internal_retries or is_control_flow(error):
            return False
        decide = self._settings.should_internal_retry or _worth_another_try
        try:
            return decide(error, values, named)
        except Exception:  # noqa: BLE001 - a hook's bug must not end a run either
            _log.exception("should_internal_retry of tool %s failed", self._function.__name__)
            return False

    def _failure(self, error: Exception, values: tuple[Any, ...], named: dict[str, Any]) -> Envelope:
        """The envelope of a failure; a framework's own signal is raised again."""
        if is_control_flow(error):
            raise error
        if not isinstance(error, PlugbayError):
            _log.error("tool %s failed", self._function.__name__, exc_info=error)
            # The text of a foreign exception may hold anything, secrets too.
            error = PlugbayError(
                f"The tool failed with {type(error).__name__}.",
                hint="Trying again with the same arguments will not help.",
            )
        envelope = failure(error)
        message = self._settings.exhausted_runtime_failure_message
        try:
            if message is not None and (text := message(error, values, named)) is not None:
                envelope = as_failure({**envelope["error"], "message": str(text)})
        except Exception:  # noqa: BLE001 - a hook's bug must not end a run either
            _log.exception("exhausted_runtime_failure_message of tool %s failed", self._function.__name__)
        return envelope

    def _end(self, envelope: Envelope) -> Any:
        if is_failure(envelope):
            return self._adapter.failure(fit_failure(envelope, self._settings.max_output_chars))
        return self._adapter.success(envelope)


def _at_hand(value: Any) -> Any:
    """What a synchronous function returned; it has nobody to await for it."""
    if not inspect.isawaitable(value):
        return value
    if inspect.iscoroutine(value):
        value.close()
    raise ConfigurationError(
        "The tool's function returned something to be awaited.",
        hint="Write it with `async def`, or use `connector.sync`.",
    )


def _hands_on(value: Any, step: Step) -> bool:
    """Whether a function returned what the operation gave, and nothing it made of that.

    Only then are the operation's summary fields those of the data, and its cursors places in it.
    """
    if isinstance(value, Result | Page):
        value = cast("Result", value).data
    elif is_object(value) and "data" in value and set(value) <= {"data", "meta"}:
        value = value["data"]
    return value is step.data or (isinstance(value, list | dict) and bool(value == step.data))


def _worth_another_try(error: Exception, values: tuple[Any, ...], named: dict[str, Any]) -> bool:  # noqa: ARG001 - a hook's signature
    return isinstance(error, PlugbayError) and error.retryable and error.retry_after is None


def _really_cancelled() -> bool:
    """Whether somebody cancelled the task, rather than a library raising `CancelledError` on its own."""
    import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread without a loop, where there is nothing to cancel
        return False
    return task is None or task.cancelling() > 0


def _taken_call_id(values: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    """The framework's id of this call: as the adapter gave it, or as a context among the arguments carries it."""
    given = _call_id.get()
    if given is not None:
        # Tools that are called inside this one are calls of their own.
        _call_id.set(None)
        return given
    for value in (*values, *named.values()):
        found: Any = getattr(value, "__dict__", {}).get("tool_call_id")
        if isinstance(found, str):
            return found
    found = named.get("tool_call_id")
    return found if isinstance(found, str) else None
