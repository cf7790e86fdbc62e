"""How stored records are shown: their `url`, nested files, and side-loaded neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from plugbay.sandbox.account import Account, Record, StoredFile
from plugbay.sandbox.exchange import Call


def url(account: Account, kind: str, record_id: int | str) -> str:
    """The address of a record; `kind` is the plural in its path."""
    return f"{account.base_url}/api/v2/{kind}/{record_id}.json"


def _with_url(kind: str) -> Callable[[Account, Record], Record]:
    return lambda account, record: {"url": url(account, kind, record["id"]), **record}


organization = _with_url("organizations")
group = _with_url("groups")
brand = _with_url("brands")
ticket_field = _with_url("ticket_fields")
ticket_form = _with_url("ticket_forms")
satisfaction_rating = _with_url("satisfaction_ratings")


def user(account: Account, record: Record) -> Record:
    """A user; `id` comes before `url`, as Zendesk writes it."""
    return {"id": record["id"], "url": url(account, "users", record["id"]), **record}


def ticket(account: Account, record: Record) -> Record:
    """A ticket; `fields` repeats `custom_fields`, as Zendesk does."""
    return {"url": url(account, "tickets", record["id"]), **record, "fields": record["custom_fields"]}


def custom_status(_account: Account, record: Record) -> Record:
    """A custom ticket status, which has no `url`."""
    return dict(record)


def comment(account: Account, record: Record) -> Record:
    """A comment with its files written out."""
    files = [attachment(account, account.files[number]) for number in record["attachments"] if number in account.files]
    return record | {"attachments": files}


def attachment(account: Account, file: StoredFile) -> Record:
    """A file's description; images come with one thumbnail, which is the image itself."""
    shown = _file(account, file, file.file_name)
    thumbnail = _file(account, file, _thumbnail_name(file.file_name))
    return shown | {"thumbnails": [thumbnail] if file.width else []}


def _thumbnail_name(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}_thumb{dot}{ending}" if dot else f"{name}_thumb"


def _file(account: Account, file: StoredFile, name: str) -> Record:
    content = f"{account.base_url}/attachments/token/{file.token}/?name={quote(name)}"
    return {
        "url": url(account, "attachments", file.id),
        "id": file.id,
        "file_name": name,
        "content_url": content,
        "mapped_content_url": content,
        "content_type": file.content_type,
        "size": len(file.data),
        "width": file.width,
        "height": file.height,
        "inline": file.inline,
        "deleted": False,
        "malware_access_override": False,
        "malware_scan_result": "malware_not_found",
    }


def sideloads(call: Call, records: Iterable[Record]) -> dict[str, list[Record]]:
    """The neighbours of tickets, users or organizations that `include` asks for; unknown names add nothing."""
    account, found = call.account, list(records)
    asked = {part.strip(" ()") for name in call.listed("include") for part in name.replace("(", ",").split(",")}
    sources: dict[str, tuple[dict[int, Record], tuple[str, ...], Callable[[Account, Record], Record]]] = {
        "users": (account.users, _USER_LINKS, user),
        "groups": (account.groups, ("group_id", "default_group_id"), group),
        "organizations": (account.organizations, ("organization_id",), organization),
        "brands": (account.brands, ("brand_id",), brand),
    }
    return {
        name: [show(account, table[number]) for number in _linked(found, links) if number in table]
        for name, (table, links, show) in sources.items()
        if name in asked
    }


_USER_LINKS = (
    "requester_id",
    "submitter_id",
    "assignee_id",
    "author_id",
    "collaborator_ids",
    "follower_ids",
    "email_cc_ids",
)


def _linked(records: list[Record], links: tuple[str, ...]) -> list[int]:
    values: list[Any] = [record.get(link) for record in records for link in links]
    flat = [number for value in values for number in _as_list(value)]
    return list(dict.fromkeys(number for number in flat if number is not None))


def _as_list(value: Any) -> list[Any]:
    return [*value] if isinstance(value, list) else [value]
