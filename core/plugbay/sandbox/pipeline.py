"""What happens to every API request: limits, identity, handler, then the headers every answer carries."""

from __future__ import annotations

import hashlib
import time

from plugbay.sandbox import auth
from plugbay.sandbox.account import Account
from plugbay.sandbox.errors import Refused, no_endpoint
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.limits import Bucket, Verdict
from plugbay.sandbox.router import Route, Router

_COMMON = {
    "x-zendesk-api-version": "v2",
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "vary": "Accept-Encoding",
}


def answer(account: Account, router: Router, call: Call) -> Reply:
    """Answer one request of the API or the OAuth server."""
    started = time.perf_counter()
    route = router.find(call)
    verdict = Verdict({})
    try:
        call.caller = auth.identify(account, call.headers.get("authorization"))
        verdict = _count(account, call, route)
        reply = _handle(call, route, verdict)
    except Refused as refusal:
        reply = refusal.reply
    _finish(account, call, reply, verdict)
    reply.headers["x-runtime"] = f"{time.perf_counter() - started:.6f}"
    return reply


def _count(account: Account, call: Call, route: Route | None) -> Verdict:
    """Spend one request of the account's budget; sign-in pages and token exchanges are not counted."""
    if not call.path.startswith("/api/"):
        return Verdict({})
    return account.limits.spend([(bucket, _bucket_key(bucket, call)) for bucket in (route.buckets if route else ())])


def _bucket_key(bucket: Bucket, call: Call) -> str:
    record = call.ids.get("id", "")
    who = str(call.caller.user["id"]) if call.caller.user else ""
    return {"account": "", "record": record, "user_record": f"{who} {record}"}[bucket.per]


def _handle(call: Call, route: Route | None, verdict: Verdict) -> Reply:
    if verdict.retry_after is not None:
        text = "Number of allowed API requests per minute exceeded"
        body = {"error": "APIRateLimitExceeded", "description": text}
        return Reply(429, body, {"retry-after": str(verdict.retry_after)})
    if route is None:
        raise no_endpoint()
    auth.authorize(call.caller, route.role, call.method, route.scope)
    return route.handler(call)


def _finish(account: Account, call: Call, reply: Reply, verdict: Verdict) -> None:
    """Add the headers, and turn an unchanged answer into 304."""
    body = reply.encode()
    reply.headers |= _COMMON | verdict.headers | {"x-request-id": account.request_id()}
    if call.unknown_keys:
        reply.headers["x-zendesk-api-warn"] = _warning(call)
    if reply.status in (200, 201) and isinstance(reply.body, dict | list):
        etag = f'W/"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        reply.headers |= {"etag": etag}
        reply.headers.setdefault("cache-control", "max-age=0, private, must-revalidate")
        if call.method == "GET" and etag in (call.headers.get("if-none-match") or ""):
            reply.status, reply.body = 304, None
            reply.headers.pop("content-type", None)
    else:
        reply.headers.setdefault("cache-control", "no-cache")


def _warning(call: Call) -> str:
    keys = ", ".join(f'"{key}"' for key in call.unknown_keys)
    return (
        f'{{:allowed_parameters=>{{:controller=>"{call.controller}", :action=>"{call.action}", '
        f":unpermitted_keys=>[{keys}], :invalid_values=>[]}}}}"
    )
