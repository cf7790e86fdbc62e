"""How an endpoint is declared, and the routes that keep what the declarations say.

    @endpoint("POST", "/api/v1/things", summary="Make a thing", body=NewThing, answer=Thing, status=201)
    async def make_thing(call: Call[NewThing]) -> Thing: ...

The same declarations are the OpenAPI document; see `plugbay.server.openapi`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Generic, Literal, cast

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from typing_extensions import TypeVar

from plugbay.server.failures import ApiError, too_many
from plugbay.server.guessing import spend_try
from plugbay.server.reading import check_path, read_body, read_query
from plugbay.server.shares import count_request

if TYPE_CHECKING:
    from plugbay.server.caller import Caller
    from plugbay.server.state import Server

__all__ = ["Auth", "Authenticate", "Call", "Endpoint", "Method", "endpoint", "routes"]

LARGEST_GUARDED = 16_384
"""Bytes of a body that tells a secret: it is read for strangers."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Auth = Literal["none", "bearer", "application", "admin"]

Body = TypeVar("Body", default=None)
Query = TypeVar("Query", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Body, Query]):
    """One request, as a handler is given it.

    Attributes:
        server: The server's parts.
        request: Starlette's, for headers.
        caller: Who calls; it is there unless the endpoint needs no token.
        body: The body, as the endpoint's model.
        query: The query, as the endpoint's model.
        path: The parameters of the path, by name.
        request_id: What the request is called in logs and answers.
    """

    server: Server
    request: Request
    caller: Caller
    body: Body
    query: Query
    path: Mapping[str, str]
    request_id: str


Handler = Callable[[Call[Any, Any]], Awaitable[BaseModel | Response | None]]
Authenticate = Callable[["Server", Request], Awaitable["Caller"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path; `endpoint` says what each attribute is."""

    method: Method
    path: str
    summary: str
    handler: Handler
    description: str = ""
    body: type[BaseModel] | None = None
    body_optional: bool = False
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict[int, str])
    auth: Auth = "bearer"
    errors: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    tag: str = ""
    streams: bool = False
    guarded: bool = False


def endpoint(
    method: Method,
    path: str,
    *,
    summary: str,
    body: type[BaseModel] | None = None,
    body_optional: bool = False,
    query: type[BaseModel] | None = None,
    answer: type[BaseModel] | None = None,
    status: int = 200,
    also: Mapping[int, str] | None = None,
    auth: Auth = "bearer",
    errors: Iterable[int] = (),
    headers: Mapping[str, str] | None = None,
    tag: str = "",
    streams: bool = False,
    guarded: bool = False,
) -> Callable[[Handler], Endpoint]:
    """Declares what a handler answers; the rest of its docstring's text is the description.

    Args:
        method: The HTTP method; GET answers HEAD as well.
        path: As `/api/v1/workspaces/{id}`; a parameter is an id or a slug, and anything else is 404.
        summary: A few words.
        body: The model of the JSON body; it is read strictly, so that a number is not a text.
        body_optional: Whether there may be no body; the handler then gets None.
        query: The model of the query's parameters; others are ignored, and one that is no list may be given once.
        answer: The model of the answer; without one the answer has no body, or is what a `Response` says.
        status: Of the success.
        also: Other statuses that are no errors, with what they mean.
        auth: Who may call: anybody, any token, an application's own token, or the operator.
        errors: The statuses of failures besides those that come by themselves.
        headers: The request's headers that matter, with what they mean.
        tag: The group that it is shown in.
        streams: Whether a success may be bytes of any type, which have no end but their own.
        guarded: Whether a secret is being told, and may be guessed; tries are limited by address.
    """

    def declare(handler: Handler) -> Endpoint:
        return Endpoint(
            method=method,
            path=path,
            summary=summary,
            handler=handler,
            description=cleandoc(handler.__doc__ or ""),
            body=body,
            body_optional=body_optional,
            query=query,
            answer=answer,
            status=status,
            also=dict(also or {}),
            auth=auth,
            errors=tuple(errors),
            headers=dict(headers or {}),
            tag=tag,
            streams=streams,
            guarded=guarded,
        )

    return declare


def routes(server: Server, endpoints: Iterable[Endpoint], authenticate: Authenticate) -> list[Route]:
    """The routes of all endpoints; a path without parameters comes before one that would swallow it.

    Args:
        server: Given to the handlers.
        endpoints: All of them.
        authenticate: Says who calls, and raises `ApiError` if that is not known.
    """
    by_path: dict[str, dict[str, Endpoint]] = {}
    for each in endpoints:
        methods = by_path.setdefault(each.path, {})
        if each.method in methods:
            raise ValueError(f"{each.method} {each.path} is declared twice")
        methods[each.method] = each
    ordered = sorted(by_path, key=lambda path: ["{" in part for part in path.split("/")])
    return [Route(path, _Path(server, path, by_path[path], authenticate)) for path in ordered]


class _Path:
    """All that one path answers; an ASGI application."""

    def __init__(self, server: Server, path: str, methods: Mapping[str, Endpoint], authenticate: Authenticate) -> None:
        self._server = server
        self._path = path
        self._methods = dict(methods)
        self._authenticate = authenticate
        if "GET" in self._methods:
            self._methods["HEAD"] = self._methods["GET"]
        self._allow = ", ".join(sorted({*self._methods, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["plugbay.route"] = self._path
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        declared = self._methods.get(request.method)
        if declared is None:
            return self._other(request.method)
        scope = request.scope
        scope["plugbay.streams"] = declared.streams
        check_path(request.path_params)
        caller = await self._caller(declared, request)
        query = read_query(declared.query, request.query_params) if declared.query else None
        body = await self._body(declared, declared.body, request) if declared.body else None
        call: Call[Any, Any] = Call(
            server=self._server,
            request=request,
            caller=cast("Caller", caller),
            body=body,
            query=query,
            path=request.path_params,
            request_id=request.scope.get("plugbay.request_id", ""),
        )
        return _response(declared, await declared.handler(call))

    async def _body(self, declared: Endpoint, model: type[BaseModel], request: Request) -> BaseModel | None:
        if not declared.guarded:
            return await read_body(model, request, optional=declared.body_optional)
        # Before anything is read: whoever may not try again costs nothing.
        if (wait := await spend_try(self._server, request)) is not None:
            raise too_many(self._server.settings.sign_in_per_minute, wait)
        return await read_body(model, request, optional=declared.body_optional, limit=LARGEST_GUARDED)

    async def _caller(self, declared: Endpoint, request: Request) -> Caller | None:
        if declared.auth == "none":
            return None
        caller = await self._authenticate(self._server, request)
        if caller.client_id is not None:
            await count_request(self._server, request.scope, caller.client_id, caller.workspace_id)
        if declared.auth == "admin" and not caller.is_admin:
            raise ApiError(403, "Only the operator may do this.", error_code="admin_only")
        if declared.auth == "application" and caller.workspace_id is not None:
            raise ApiError(403, "A token of one workspace may not do this.", error_code="scoped_token")
        return caller

    def _other(self, method: str) -> Response:
        if method == "OPTIONS":
            return Response(None, 204, {"Allow": self._allow})
        text = f"This address takes {self._allow}."
        raise ApiError(405, text, error_code="method_not_allowed", headers={"Allow": self._allow})


def _response(declared: Endpoint, result: BaseModel | Response | None) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(None, declared.status)
    content = type(result).__pydantic_serializer__.to_json(result, by_alias=True)
    return Response(content, declared.status, media_type="application/json")
