from __future__ import annotations

import tracemalloc
from urllib.parse import urlsplit

import httpx
import pytest

from plugbay.sandbox import Sandbox

UPLOADS = "/api/v2/uploads"


@pytest.fixture
def file(sandbox):
    return next(file for file in sandbox.account.files.values() if file.content_type == "image/png")


def signed(api, file):
    shown = api.json(f"/api/v2/attachments/{file.id}")["attachment"]
    answer = httpx.get(shown["content_url"])
    assert answer.status_code == 302
    return answer.headers["location"]


def upload(api, data=b"data", name="a.txt", kind="text/plain", **params):
    return api.send("POST", UPLOADS, content=data, params={"filename": name, **params}, headers={"content-type": kind})


def test_show(api, file):
    """An attachment's description has the real fields, and images a thumbnail."""
    shown = api.json(f"/api/v2/attachments/{file.id}.json")["attachment"]

    assert (shown["file_name"], shown["size"], shown["content_type"]) == (file.file_name, len(file.data), "image/png")
    assert shown["content_url"].startswith(f"{api.sandbox.base_url}/attachments/token/")
    assert shown["thumbnails"][0]["file_name"].endswith("_thumb.png")
    assert shown["malware_scan_result"] == "malware_not_found"
    assert api.get("/api/v2/attachments/1").status_code == 404


def test_bytes_come_from_another_origin(api, file, sandbox):
    """The content address leads to another port, which serves the very bytes."""
    location = signed(api, file)
    answer = httpx.get(location)

    assert urlsplit(location).netloc != urlsplit(sandbox.base_url).netloc
    assert location.startswith(sandbox.files_url)
    assert (answer.status_code, answer.content) == (200, file.data)
    assert answer.headers["content-type"] == "image/png"
    assert sandbox.requests[-1].origin == "files"


def test_credentials_are_refused_there(api, file):
    """The other origin answers 403 when an Authorization header arrives."""
    assert httpx.get(signed(api, file), headers={"authorization": "Bearer x"}).status_code == 403


def test_signature(api, file):
    """A changed signature, expiry or file is 403."""
    location = signed(api, file)
    for changed in (
        location[:-1] + ("0" if location[-1] != "0" else "1"),
        location.replace("expires=", "expires=9"),
        location.replace(str(file.id), str(file.id + 1)),
        location.partition("?")[0],
        location.replace("expires=", "expires=x"),
    ):
        assert httpx.get(changed).status_code == 403


def test_address_expires(api, file, sandbox):
    """The signed address dies after five minutes; the content address gives a new one."""
    location = signed(api, file)
    sandbox.clock.advance(seconds=301)

    assert httpx.get(location).status_code == 403
    assert httpx.get(signed(api, file)).status_code == 200


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=10-", 10, None), ("bytes=-5", -5, None), ("bytes=0-99999999", 0, None)],
)
def test_range(api, file, asked, start, stop):
    """A range gives that part, with 206 and the whole size."""
    answer = httpx.get(signed(api, file), headers={"range": asked})

    assert (answer.status_code, answer.content) == (206, file.data[start:stop])
    assert answer.headers["content-range"].endswith(f"/{len(file.data)}")


def test_bad_range(api, file):
    """A range behind the end is 416; one that is not understood is ignored."""
    location = signed(api, file)

    assert httpx.get(location, headers={"range": "bytes=99999999-"}).status_code == 416
    assert httpx.get(location, headers={"range": "lines=1-2"}).status_code == 200
    assert httpx.get(location, headers={"range": "bytes=-"}).status_code == 200


def test_private_attachments():
    """With private attachments on, the content address wants a signed-in caller."""
    with Sandbox(tickets=60) as sandbox:
        sandbox.account.private_attachments = True
        token = next(iter(sandbox.account.files.values())).token
        address = f"{sandbox.base_url}/attachments/token/{token}/?name=x"

        assert httpx.get(address).status_code == 401
        assert httpx.get(address, headers={"authorization": f"Bearer {sandbox.access_token}"}).status_code == 302
        assert httpx.get(f"{sandbox.base_url}/attachments/token/unknown/", headers={}).status_code == 401


def test_unknown_content_token(sandbox):
    """A content address nobody gave out is 404."""
    assert httpx.get(f"{sandbox.base_url}/attachments/token/unknown/?name=x").status_code == 404


def test_upload_and_attach(api, sandbox):
    """Uploaded files, several under one token, arrive with the comment, byte for byte, and the token is used up."""
    first = upload(api, b"\x00\x01", "naïve name.bin", "application/octet-stream")
    assert first.status_code == 201
    token = first.json()["upload"]["token"]
    second = upload(api, b"two", "b.txt", token=token).json()["upload"]
    assert (second["token"], len(second["attachments"])) == (token, 2)
    ticket = api.ticket(comment={"body": "see files", "uploads": [token]})
    files = api.json(f"/api/v2/tickets/{ticket['id']}/comments")["comments"][0]["attachments"]

    assert [file["file_name"] for file in files] == ["naïve name.bin", "b.txt"]
    assert httpx.get(files[0]["content_url"], follow_redirects=True).content == b"\x00\x01"
    again = api.post("/api/v2/tickets", {"ticket": {"comment": {"body": "b", "uploads": [token]}}})
    assert "uploads" in again.json()["details"]


def test_upload_expires(api, sandbox):
    """An upload token lives for sixty minutes, and says so."""
    made = upload(api).json()["upload"]
    assert made["expires_at"] > sandbox.clock.stamp()
    sandbox.clock.advance(seconds=3601)

    assert upload(api, token=made["token"]).status_code == 404
    refused = api.post("/api/v2/tickets", {"ticket": {"comment": {"body": "b", "uploads": made["token"]}}})
    assert refused.status_code == 422


def test_delete_upload(api):
    """A deleted upload is gone."""
    token = upload(api).json()["upload"]["token"]

    assert api.delete(f"{UPLOADS}/{token}.json").status_code == 204
    assert api.delete(f"{UPLOADS}/{token}").status_code == 404


def test_upload_needs_a_name(api):
    """A file without a name is 400."""
    assert api.send("POST", UPLOADS, content=b"x").status_code == 400


def test_etag(api, file):
    """The bytes carry an ETag that goes with them: the same file is 304, and a part is given of the same file only."""
    location = signed(api, file)
    etag = httpx.get(location).headers["etag"]
    unchanged = httpx.get(location, headers={"if-none-match": etag})
    part = httpx.get(location, headers={"range": "bytes=1-2", "if-range": etag})
    whole = httpx.get(location, headers={"range": "bytes=1-2", "if-range": '"another"'})

    assert (304, b"", etag) == (unchanged.status_code, unchanged.content, unchanged.headers["etag"])
    assert (206, file.data[1:3], etag) == (part.status_code, part.content, part.headers["etag"])
    assert (200, file.data) == (whole.status_code, whole.content)


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_001])
def test_added_file(api, sandbox, size):
    """An added file is shown with its size, name and type, and has exactly the bytes that its data says."""
    number = sandbox.add_file(size=size, name="export.zip", content_type="application/zip")
    shown = api.json(f"/api/v2/attachments/{number}")["attachment"]
    answer = httpx.get(shown["content_url"], follow_redirects=True)
    data = sandbox.account.files[number].data

    assert (size, "export.zip", "application/zip") == (shown["size"], shown["file_name"], shown["content_type"])
    assert size == len(answer.content) == int(answer.headers["content-length"])
    assert b"".join(data.chunks()) == answer.content


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (65_530, 65_545), (5, 131_080), (199_999, 200_000), (131_072, None)]
)
def test_parts_of_an_added_file(api, sandbox, start, stop):
    """A range of an added file is that part of it, wherever it lies."""
    file = sandbox.account.files[sandbox.add_file(size=200_000)]
    whole = b"".join(file.data.chunks())
    answer = httpx.get(signed(api, file), headers={"range": f"bytes={start}-{'' if stop is None else stop - 1}"})

    assert (206, whole[start:stop]) == (answer.status_code, answer.content)
    assert answer.headers["etag"] == httpx.head(signed(api, file)).headers["etag"]


def test_no_file_of_less_than_nothing(sandbox):
    """A negative size is refused at once."""
    with pytest.raises(ValueError, match="size must not be negative"):
        sandbox.add_file(size=-1)


def test_head_of_an_added_file(api, sandbox):
    """The head alone says how large a file is, and makes none of its bytes."""
    file = sandbox.account.files[sandbox.add_file(size=1 << 50)]

    assert str(1 << 50) == httpx.head(signed(api, file)).headers["content-length"]
    assert api.get("/api/v2/tickets/1").status_code == 200


def test_added_files_differ(sandbox):
    """No two added files, and no two stretches of one, are alike, so that a mix-up shows."""
    one, two = (sandbox.account.files[sandbox.add_file(size=300_000)].data for _ in range(2))
    blocks = [*one.chunks(), *two.chunks()]

    assert len(blocks) == len(set(blocks))
    assert one.digest != two.digest


def test_added_file_costs_no_memory(api, sandbox):
    """A file of any size is made while it is sent: reading it through takes a small part of its size."""
    file = sandbox.account.files[sandbox.add_file(size=100 << 20)]
    location, size = signed(api, file), 0
    tracemalloc.start()
    try:
        with httpx.stream("GET", location) as answer:
            for piece in answer.iter_raw():
                size += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert 100 << 20 == size
    assert peak < 10 << 20
