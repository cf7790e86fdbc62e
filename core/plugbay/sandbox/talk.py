"""Talk: lines, and the export of calls and legs."""

from __future__ import annotations

import re

from plugbay.sandbox import bodies
from plugbay.sandbox.account import Record
from plugbay.sandbox.clock import from_iso
from plugbay.sandbox.errors import not_found, plain
from plugbay.sandbox.exchange import Call, Handler, Reply, is_number
from plugbay.sandbox.incremental import whole_seconds
from plugbay.sandbox.paging import page_url

_EXPORT_PAGE = 1000


def enveloped(name: str, rows: list[Record]) -> Reply:
    """A list as Talk answers it: always one page."""
    return Reply(body={name: rows, "next_page": None, "previous_page": None, "count": len(rows)})


def phone_numbers(call: Call) -> Reply:
    """GET /channels/voice/phone_numbers; `minimal_mode` keeps the few fields that a menu needs."""
    numbers = list(call.account.phone_numbers.values())
    if call.param("minimal_mode") == "true":
        kept = ("id", "number", "display_number", "name", "nickname", "country_code", "toll_free", "external")
        numbers = [{name: number[name] for name in kept} for number in numbers]
    return enveloped("phone_numbers", numbers)


def phone_number(call: Call) -> Reply:
    """GET /channels/voice/phone_numbers/{id}."""
    number = call.account.phone_numbers.get(bodies.path_id(call))
    if number is None:
        raise not_found()
    return Reply(body={"phone_number": number})


def available_numbers(call: Call) -> Reply:
    """GET /channels/voice/phone_numbers/search: numbers for sale, always the same for the same question."""
    country = (call.param("country") or "").upper()
    if not re.fullmatch("[A-Z]{2}", country):
        raise plain(400, "Required parameter missing: country")
    toll_free = call.param("toll_free") == "true"
    prefix = "800" if toll_free else (call.param("area_code") or "240")
    rows = [_for_sale(country, prefix, index, toll_free) for index in range(10)]
    wanted = call.param("contains") or ""
    return enveloped("phone_numbers", [row for row in rows if wanted in row["number"]])


def _for_sale(country: str, prefix: str, index: int, toll_free: bool) -> Record:
    return {
        "address_requirements": "none",
        "capabilities": {"mms": False, "sms": not toll_free, "voice": True},
        "country_code": country,
        "display_number": f"+1 ({prefix}) 555-01{index:02}",
        "location": None if toll_free else "MD",
        "nickname": None,
        "number": f"+1{prefix}55501{index:02}",
        "price": "$2.00" if toll_free else "$1.00",
        "token": f"{index:032x}",
        "toll_free": toll_free,
    }


def export(name: str) -> Handler:
    """GET /channels/voice/stats/incremental/{calls,legs}: by `updated_at`, from `start_time` on, 1,000 a page.

    `next_page` is never null; a page of fewer than 1,000 is the last for now.
    """

    def index(call: Call) -> Reply:
        start = _start(call)
        moments, rows = _since(getattr(call.account, name), start)
        stop = whole_seconds(moments, _EXPORT_PAGE, start)
        end = moments[stop - 1] if stop else start
        body = {
            name: rows[:stop],
            "count": stop,
            "end_time": end,
            "next_page": page_url(call, {"start_time": end}),
        }
        return Reply(body=body)

    return index


def _start(call: Call) -> int:
    text = call.param("start_time")
    if not text:
        raise plain(400, "Required parameter missing: start_time")
    if not is_number(text):
        raise plain(400, "Invalid parameter: start_time must be an integer")
    return int(text)


def _since(records: list[Record], start: int) -> tuple[list[int], list[Record]]:
    placed = sorted(
        ((int(from_iso(record["updated_at"]).timestamp()), record["id"], record) for record in records),
        key=lambda row: row[:2],
    )
    kept = [row for row in placed if row[0] >= start]
    return [row[0] for row in kept], [row[2] for row in kept]
