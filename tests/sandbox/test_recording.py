from __future__ import annotations

import socket


def test_everything_is_kept(api, sandbox):
    """A request is kept with its method, path, query in order, lower-case headers, body and status."""
    api.send(
        "PUT", "/api/v2/tickets/1?b=2&a=1&b=3&empty=", headers={"X-Odd": "Value"}, content=b"\x00not json",
    )  # fmt: skip
    kept = sandbox.requests[-1]

    assert (kept.method, kept.path, kept.status) == ("PUT", "/api/v2/tickets/1", 415)
    assert kept.query == [("b", "2"), ("a", "1"), ("b", "3"), ("empty", "")]
    assert kept.headers["x-odd"] == "Value"
    assert kept.body == b"\x00not json"
    assert kept.origin == "main"


def test_order_of_arrival(api, sandbox):
    """Requests are kept in the order in which they arrived."""
    del sandbox.requests[:]
    for number in range(5):
        api.get(f"/api/v2/tickets/{number + 1}")

    assert [request.path for request in sandbox.requests] == [f"/api/v2/tickets/{n + 1}" for n in range(5)]


def test_response_headers_are_kept(api, sandbox):
    """What was answered can be looked at, too."""
    answer = api.get("/api/v2/tickets/1")

    assert sandbox.requests[-1].response_headers["x-request-id"] == answer.headers["x-request-id"]


def test_half_a_request_is_not_carried_out(api, sandbox):
    """A request whose client goes away within the body is kept without a status, and does nothing."""
    before, kept = len(sandbox.account.files), len(sandbox.requests)
    host, port = sandbox.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        head = f"POST /api/v2/uploads?filename=a HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {api.token}\r\n"
        line.sendall(f"{head}content-length: 10\r\n\r\nhalf".encode())
    for _ in range(200):
        api.get("/api/v2/tickets/count")
        half = [request for request in sandbox.requests[kept:] if request.method == "POST"]
        if half:
            break

    assert [(request.body, request.status) for request in half] == [(b"half", None)]
    assert len(sandbox.account.files) == before
