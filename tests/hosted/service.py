"""A small hosted service on loopback: real tokens, real look-ups, and a local connector to the sandbox behind it.

It speaks either dialect: `plugbay serve`'s, or with `vendor=True` the vendor's, which knows pages in place of cursors,
no idempotency keys, and errors without their class.
"""

from __future__ import annotations

import json
import math
import secrets
import uuid
from dataclasses import dataclass, field
from hashlib import sha256

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from plugbay import errors
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.context import under_key
from plugbay.errors import PlugbayError
from plugbay.sandbox.server import Server, address, listen

ROOT = "/api/v1/integrations/connectors"
TOKEN = "/api/v1/account/applications/token"
KINDS = {kind.definition_id: kind for kind in (ZendeskSupportConnector, ZendeskTalkConnector)}
STATUSES = {
    errors.InvalidParameterError: 422,
    errors.ValidationFailedError: 422,
    errors.NotFoundError: 404,
    errors.ConnectorNotFoundError: 404,
    errors.ConflictError: 409,
    errors.AuthenticationError: 409,
    errors.PermissionDeniedError: 403,
    errors.RateLimitedError: 429,
    errors.DeadlineExceededError: 504,
}


@dataclass
class Arrived:
    """A request that came."""

    method: str
    path: str
    query: dict
    headers: dict
    body: object


@dataclass
class Kept:
    """A connector that the service has."""

    kind: type
    workspace: str = "default"
    name: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    credentials: dict = field(default_factory=dict)
    status: str = "active"


class RefusedError(Exception):
    """An answer of the API itself that is no success."""

    def __init__(self, status, message, code="not_found", headers=None):
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers or {}


class Service:
    """The service, from `with` to its end.

    Args:
        sandbox: The Zendesk behind it; without one nothing can be executed.
        vendor: Whether it speaks as the vendor's service does.
        settings: Of the local connectors that it executes with.

    Attributes:
        requests: What arrived, in order.
        kept: Its connectors.
        expires_in: Seconds that a new token lives, as it says.
        page: Items of a page of a list.
        answers: What to answer in place of the service's own, by the end of the path: each once.
    """

    client_id = "client-7f31"
    organization_id = "5a1d7b8e-0000-4000-8000-000000000001"

    def __init__(self, sandbox=None, *, vendor=False, settings=None):
        self.client_secret = secrets.token_urlsafe(24)
        self.sandbox, self.vendor, self.settings = sandbox, vendor, settings or {}
        self.requests, self.kept, self.tokens = [], [], set()
        self.expires_in, self.page = 900, 20
        self.answers = {}
        self._locals = {}
        self._socket = listen()
        self.url = address(self._socket)
        self._server = Server([(self._app(), self._socket)])

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop()

    def add(self, kind=ZendeskSupportConnector, **facts):
        """Gives the service a connector."""
        self.kept.append(Kept(kind, **{"name": kind.title, **facts}))
        return self.kept[-1]

    def came(self, end="", method=None):
        """The requests whose path ends so."""
        return [each for each in self.requests if each.path.endswith(end) and method in (None, each.method)]

    def next(self, end, *answers):
        """Answers, each once, in place of the service's own to paths that end so."""
        self.answers.setdefault(end, []).extend(answers)

    def _app(self):
        paths = [
            (TOKEN, self._token, ["POST"]),
            (ROOT, self._connectors, ["GET", "POST"]),
            (f"{ROOT}/oauth/initiate", self._initiate, ["POST"]),
            (f"{ROOT}/{{id}}", self._connector, ["GET", "DELETE"]),
            (f"{ROOT}/{{id}}/execute", self._execute, ["POST"]),
            (f"{ROOT}/{{id}}/check", self._check, ["POST"]),
            (f"{ROOT}/{{id}}/download", self._file, ["GET"]),
        ]
        return Starlette(routes=[Route(path, self._noted(handler), methods=names) for path, handler, names in paths])

    def _noted(self, handler):
        async def answer(request):
            raw = await request.body()
            body = json.loads(raw) if raw else None
            path, headers = request.url.path, dict(request.headers)
            self.requests.append(Arrived(request.method, path, dict(request.query_params), headers, body))
            for end, answers in self.answers.items():
                if path.endswith(end) and answers:
                    given = answers.pop(0)
                    return given(request) if callable(given) and not isinstance(given, Response) else given
            try:
                if path != TOKEN:
                    self._authorize(headers)
                response = await handler(request, body)
            except RefusedError as error:
                kind = {401: "authentication", 404: f"{error.code}", 403: "permission_denied"}.get(error.status)
                response = self._told(error.status, error.message, error.code, kind, None, error.headers)
            except PlugbayError as error:
                response = self._failed(error)
            response.headers["x-request-id"] = f"req-{len(self.requests)}"
            return response

        return answer

    def _authorize(self, headers):
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise RefusedError(401, "The token is not valid.", "unauthorized")
        if headers.get("x-organization-id", self.organization_id) != self.organization_id:
            raise RefusedError(403, "The client is no member of the organization.", "forbidden")

    def _told(self, status, message, code, kind, payload, headers):
        body = {
            "message": message,
            "errors": [{"field": None, "message": message, "error_code": code, "details": None}],
        }
        if not self.vendor:
            base = {"code": kind or "service_error", "message": message, "hint": None, "retryable": False}
            body["error"] = payload or {**base, "retry_after": None, "details": None}
        return JSONResponse(body, status, headers)

    def _failed(self, error):
        """The answer for an execution that failed."""
        status = STATUSES.get(type(error), 502)
        headers = {"X-Should-Retry": "false"}
        if error.retry_after is not None and status == 429:
            headers["Retry-After"] = str(math.ceil(error.retry_after))
        return self._told(status, error.message, error.code, None, error.payload(), headers)

    async def _token(self, request, body):
        if body != {"client_id": self.client_id, "client_secret": self.client_secret}:
            raise RefusedError(400, "The client is not known.", "invalid_client")
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        dialect = {} if self.vendor else {"dialect": "plugbay-1"}
        return JSONResponse(
            {"access_token": token, "token_type": "bearer", "expires_in": self.expires_in, **dialect,
             "organization_id": self.organization_id}
        )  # fmt: skip

    async def _connectors(self, request, body):
        if request.method == "POST":
            return self._create(body)
        query = request.query_params
        if query["workspace_name"] not in {each.workspace for each in self.kept}:
            raise RefusedError(404, "There is no such workspace.", "not_found")
        wanted = query.get("definition_id")
        found = [each for each in self.kept if each.workspace == query["workspace_name"]]
        found = [each for each in found if wanted in (None, each.kind.definition_id)]
        start = int(query.get("cursor", 0))
        more = str(start + self.page) if len(found) > start + self.page else None
        return JSONResponse({"data": [self._item(each) for each in found[start : start + self.page]], "next": more})

    def _item(self, kept):
        template = {
            "id": "t",
            "name": kept.kind.title.replace(" ", "-"),
            "actor_definition_id": kept.kind.definition_id,
        }
        times = {"created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-02T00:00:00Z"}
        own = {} if self.vendor else {"status": kept.status}
        return {"id": kept.id, "name": kept.name, "summarized_source_template": template, **times, **own}

    def _create(self, body):
        kind = KINDS.get(body.get("definition_id"))
        if kind is None or "workspace_name" not in body:
            raise RefusedError(
                422, "One of connector_type, definition_id, or source_template_id must be provided", "missing"
            )
        kept = self.add(kind, workspace=body["workspace_name"], credentials=body, name=body.get("name") or kind.title)
        return JSONResponse({**self._item(kept), "check": {"status": "succeeded", "error_message": None}}, 201)

    async def _initiate(self, request, body):
        return JSONResponse({"consent_url": f"https://{body['environment']['subdomain']}.zendesk.com/oauth?x=1"})

    def _kept(self, request):
        found = [each for each in self.kept if each.id == request.path_params["id"]]
        if not found:
            raise RefusedError(404, "There is no such connector.", "connector_not_found")
        return found[0]

    async def _connector(self, request, body):
        kept = self._kept(request)
        if request.method == "DELETE":
            self.kept.remove(kept)
            return JSONResponse({"job_id": "1"}, 202)
        return JSONResponse(self._item(kept))

    def local(self, kept):
        """The connector that a call is executed with."""
        if kept.id not in self._locals:
            config = ZendeskSupportOauth20AuthConfig(access_token=self.sandbox.access_token)
            self._locals[kept.id] = kept.kind(config, base_url=self.sandbox.base_url, **self.settings)
        return self._locals[kept.id]

    async def _execute(self, request, body):
        connector = self.local(self._kept(request))
        params = dict(body["params"])
        if body["action"] == "download" and (self.vendor or "json" not in request.headers["accept"]):
            return await self._bytes(connector, params)
        if self.vendor:
            return await self._by_page(connector, body, params)
        with under_key(request.headers.get("idempotency-key")):
            result = await connector.execute(body["entity"], body["action"], params)
        meta = dict(result.meta)
        paging = {name: meta.pop(name) for name in ("has_more", "cursor", "count", "total") if name in meta}
        told = {"pagination": paging} if isinstance(result.data, list) else {}
        return JSONResponse(self._envelope(result.data, {**told, **meta}))

    async def _by_page(self, connector, body, params):
        page, size = params.pop("page", None), params.pop("per_page", None)
        if page is None:
            result = await connector.execute(body["entity"], body["action"], params)
            return JSONResponse(self._envelope(result.data, {}))
        result = await connector.execute(body["entity"], body["action"], {**params, "limit": page * size})
        return JSONResponse(self._envelope(result.data[(page - 1) * size :], {}))

    def _envelope(self, result, meta):
        ran = {"connector_instance_id": "c", "execution_time_ms": 1}
        return {"status": "success", "result": result, "connector_metadata": meta, "execution_metadata": ran}

    async def _bytes(self, connector, params, start=0, validator=None):
        data = b"".join([piece async for piece in connector.attachments.download(**params).pieces()])
        facts = await connector.attachments.get(params["attachment_id"])
        tag = f'"{sha256(data).hexdigest()}"'
        headers = {
            "content-disposition": f'attachment; filename="{facts["file_name"]}"',
            "content-type": facts["content_type"],
        }
        status = 200
        if not self.vendor:
            headers["etag"] = tag
        if start and validator == tag:
            status, headers["content-range"] = 206, f"bytes {start}-{len(data) - 1}/{len(data)}"
            data = data[start:]
        headers["content-length"] = str(len(data))
        return StreamingResponse(iter([data]), status, headers)

    async def _file(self, request, body):
        if self.vendor:
            raise RefusedError(404, "Not Found")
        connector, headers = self.local(self._kept(request)), request.headers
        start = headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-")
        params = json.loads(request.query_params["params"])
        return await self._bytes(connector, params, int(start), headers.get("if-range"))

    async def _check(self, request, body):
        kept = self._kept(request)
        found = await self.local(kept).check()
        if found["status"] == "healthy":
            identity = {} if self.vendor else {"identity": {"user": found["user"]}}
            return JSONResponse({"id": kept.id, "status": "succeeded", "entity_check_results": [], **identity})
        error = found["error"]
        told = {} if self.vendor else {"error": error}
        body = {"id": kept.id, "status": "failed", "error_message": error["message"], "entity_check_results": []}
        return JSONResponse({**body, **told})
