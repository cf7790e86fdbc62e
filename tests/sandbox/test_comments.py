from __future__ import annotations

import httpx

KEYS = {
    "id", "type", "author_id", "body", "html_body", "plain_body", "public", "attachments", "audit_id", "via",
    "created_at", "metadata",
}  # fmt: skip


def longest(sandbox):
    return max(sandbox.account.comments, key=lambda number: len(sandbox.account.comments[number]))


def test_shape_and_order(api, sandbox):
    """Comments have every field of the real ones and come oldest first, the description before all."""
    number = longest(sandbox)
    comments = api.json(f"/api/v2/tickets/{number}/comments.json")["comments"]

    assert len(comments) > 2
    assert all(set(comment) == KEYS for comment in comments)
    assert [c["created_at"] for c in comments] == sorted(c["created_at"] for c in comments)
    assert comments[0]["body"] == sandbox.account.tickets[number]["description"]


def test_sort_order(api, sandbox):
    """`sort_order=desc` turns a list of pages around, and `sort` one of cursors."""
    path = f"/api/v2/tickets/{longest(sandbox)}/comments"
    ids = [comment["id"] for comment in api.json(path)["comments"]]

    assert [c["id"] for c in api.json(path, sort_order="desc")["comments"]] == ids[::-1]
    assert [c["id"] for c in api.json(path, **{"page[size]": 100, "sort": "-created_at"})["comments"]] == ids[::-1]
    assert [c["id"] for c in api.json(path, **{"page[size]": 100, "sort_order": "desc"})["comments"]] == ids


def test_authors(api, sandbox):
    """`include=users` adds the authors."""
    answer = api.json(f"/api/v2/tickets/{longest(sandbox)}/comments", include="users")

    assert {c["author_id"] for c in answer["comments"]} == {user["id"] for user in answer["users"]}


def test_inline_images_on_demand(api, sandbox):
    """Inline files are left out unless they are asked for."""
    number = next(n for n, comments in sandbox.account.comments.items() if comments[0]["attachments"])
    sandbox.account.files[sandbox.account.comments[number][0]["attachments"][0]].inline = True
    path = f"/api/v2/tickets/{number}/comments"

    assert api.json(path)["comments"][0]["attachments"] == []
    assert api.json(path, include_inline_images="true")["comments"][0]["attachments"][0]["inline"] is True


def test_unknown_ticket(api):
    """Comments of a ticket that does not exist are 404."""
    assert api.get("/api/v2/tickets/99999/comments").json()["error"] == "RecordNotFound"
    assert api.get("/api/v2/tickets/99999/comments/count").status_code == 404


def test_no_anonymous_reading(sandbox):
    """Comments are not for strangers."""
    assert httpx.get(f"{sandbox.base_url}/api/v2/tickets/1/comments").status_code == 401
