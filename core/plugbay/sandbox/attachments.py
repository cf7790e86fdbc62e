"""Uploads, attachments, and the second host that serves their bytes."""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import quote, urlencode

from plugbay.sandbox import bodies, views
from plugbay.sandbox.account import Account, StoredFile, Upload
from plugbay.sandbox.auth import identify
from plugbay.sandbox.clock import at, iso
from plugbay.sandbox.errors import Refused, invalid_attribute, not_found, simple
from plugbay.sandbox.exchange import Call, Reply, Stream, is_number
from plugbay.sandbox.generated import GeneratedBytes

UPLOAD_LIFETIME = 3600
URL_LIFETIME = 300
MAX_UPLOAD = 50 * 1024 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def show(call: Call) -> Reply:
    """GET /attachments/{id}."""
    file = call.account.files.get(bodies.path_id(call))
    if file is None:
        raise not_found()
    return Reply(body={"attachment": views.attachment(call.account, file)})


def upload(call: Call) -> Reply:
    """POST /uploads: the raw body is the file; `token` adds it to an earlier upload that has not expired."""
    name = call.param("filename")
    if not name:
        raise invalid_attribute("filename", "must be present", call.origin)
    if len(call.body) > MAX_UPLOAD:
        raise simple(413, "RequestEntityTooLarge", "The file is larger than 50 MB")
    account, now = call.account, call.account.clock.timestamp()
    waiting = _waiting(call, now)
    kind = call.headers.get("content-type", "application/octet-stream")
    file = StoredFile(account.next_id(), account.secret(25), name, kind, call.body)
    account.files[file.id] = file
    waiting.file_ids.append(file.id)
    files = [views.attachment(account, account.files[number]) for number in waiting.file_ids]
    body = {
        "token": waiting.token,
        "expires_at": iso(at(waiting.expires_at)),
        "attachments": files,
        "attachment": files[-1],
    }
    return Reply(201, {"upload": body}, {"location": views.url(account, "attachments", file.id)})


def _waiting(call: Call, now: float) -> Upload:
    token = call.param("token")
    if token:
        known = call.account.uploads.get(token)
        if known is None or known.expires_at <= now:
            raise not_found()
        return known
    fresh = Upload(call.account.secret(25), now + UPLOAD_LIFETIME)
    call.account.uploads[fresh.token] = fresh
    return fresh


def destroy_upload(call: Call) -> Reply:
    """DELETE /uploads/{token}."""
    removed = call.account.uploads.pop(call.ids["token"], None)
    if removed is None:
        raise not_found()
    for number in removed.file_ids:
        call.account.files.pop(number, None)
    return Reply(204)


def redirect(account: Account, token: str, authorization: str | None) -> Reply:
    """GET /attachments/token/{token} on the main host: 302 to a signed address on the other one.

    Anybody who knows the address may follow it, unless the account keeps attachments private.
    """
    file = next((file for file in account.files.values() if hmac.compare_digest(file.token, token)), None)
    try:
        if account.private_attachments and identify(account, authorization).user is None:
            raise simple(401, "Couldn't authenticate you")
        if file is None:
            raise not_found()
    except Refused as refusal:
        return refusal.reply
    return Reply(302, "", {"location": signed_url(account, file), "cache-control": "no-cache"})


def signed_url(account: Account, file: StoredFile) -> str:
    """An address of a file's bytes that works for five minutes."""
    expires = int(account.clock.timestamp()) + URL_LIFETIME
    path = f"/attachment/{account.id}/{file.id}"
    query = urlencode({"name": file.file_name, "expires": expires, "signature": _sign(account, path, expires)})
    return f"{account.files_url}{path}?{query}"


def _sign(account: Account, path: str, expires: int) -> str:
    key = f"{account.seed}/{account.id}".encode()
    return hmac.new(key, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()


def content(account: Account, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
    """GET on the second host.

    An Authorization header is refused: the address is its own permission, as on a content network.
    """
    if "authorization" in headers:
        return _denied("Only one auth mechanism allowed")
    expires = query.get("expires", "")
    valid = is_number(expires) and int(expires) > account.clock.timestamp()
    if not valid or not hmac.compare_digest(_sign(account, path, int(expires)), query.get("signature", "")):
        return _denied("Request has expired or its signature does not match")
    number = path.rpartition("/")[2]
    file = account.files.get(int(number)) if is_number(number) else None
    return Reply(404, "") if file is None else _bytes(file, headers)


def _denied(text: str) -> Reply:
    return Reply(
        403, f"<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>", {"content-type": "text/xml"}
    )


def add_generated(account: Account, size: int, name: str, content_type: str) -> StoredFile:
    """Store a file of `size` bytes that are made when they are asked for."""
    number = account.next_id()
    file = StoredFile(number, account.secret(25), name, content_type, GeneratedBytes(number, size))
    account.files[number] = file
    return file


def _bytes(file: StoredFile, asked: dict[str, str]) -> Reply:
    """A file, or the part of it that `range` asks for; RFC 9110 sections 13.1.2, 13.1.5 and 14.2."""
    etag = f'"{_digest(file.data)}"'
    headers = {
        "content-type": file.content_type,
        "accept-ranges": "bytes",
        "etag": etag,
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.file_name)}",
    }
    if asked.get("if-none-match") in (etag, "*"):
        return Reply(304, None, {"etag": etag})
    size = len(file.data)
    span = _span(asked.get("range"), size) if asked.get("if-range", etag) == etag else None
    if span is None:
        return Reply(200, _part(file.data, 0, size), headers)
    start, stop = span
    if start >= stop:
        return Reply(416, b"", headers | {"content-range": f"bytes */{size}"})
    return Reply(206, _part(file.data, start, stop), headers | {"content-range": f"bytes {start}-{stop - 1}/{size}"})


def _digest(data: bytes | GeneratedBytes) -> str:
    return data.digest if isinstance(data, GeneratedBytes) else hashlib.md5(data, usedforsecurity=False).hexdigest()


def _part(data: bytes | GeneratedBytes, start: int, stop: int) -> bytes | Stream:
    return data[start:stop] if isinstance(data, bytes) else Stream(stop - start, data.chunks(start, stop))


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """The half-open span of a Range header; None when there is none, or one that is to be ignored."""
    match = _RANGE.fullmatch(asked.strip()) if asked else None
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size
