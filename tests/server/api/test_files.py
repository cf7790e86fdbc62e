"""Files through the server: streamed, gone on with, and as a part for a model."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from plugbay import connect
from plugbay.sink import Held, Source

from .conftest import CONNECTORS

SIZE = 300_000


@pytest.fixture
def file_id(sandbox):
    """The id of a file of some size."""
    return sandbox.add_file(size=SIZE, name='r\u00e9sum\u00e9 "1".bin', content_type="application/x-thing")


def bytes_of(sandbox, file_id):
    """The bytes that the sandbox has."""
    return b"".join(sandbox.account.files[file_id].data.chunks(0, SIZE))


def call_of(file_id, **params):
    """The body of a download's call."""
    return {"entity": "attachments", "action": "download", "params": {"attachment_id": file_id, **params}}


async def test_a_download_answers_the_files_bytes(api, connector_id, file_id):
    """Without a wish for JSON the answer is the file, with its name, type and size."""
    answer = await api("POST", f"{CONNECTORS}/{connector_id}/execute", call_of(file_id))
    assert bytes_of(api.running.sandbox, file_id) == answer.content
    headers = answer.headers
    assert ("application/x-thing", str(SIZE)) == (headers["content-type"], headers["content-length"])
    expected = "attachment; filename=\"r_sum_ _1_.bin\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.bin"
    assert expected == headers["content-disposition"]
    assert "nosniff" == headers["x-content-type-options"]


async def test_a_download_as_json_is_a_part_for_a_model(api, connector_id, file_id):
    """Asked for JSON, a download is a window of the file like any other result."""
    call = call_of(file_id, offset=10, max_bytes=20)
    answer = await api("POST", f"{CONNECTORS}/{connector_id}/execute", call, headers={"accept": "application/json"})
    result = answer.json()["result"]
    assert bytes_of(api.running.sandbox, file_id)[10:30] == base64.b64decode(result["content"])
    assert (SIZE, 10, 20) == (result["size"], result["offset"], result["length"])


async def get(api, connector_id, file_id, **headers):
    """The file by its own address."""
    query = {"entity": "attachments", "params": json.dumps({"attachment_id": file_id})}
    return await api("GET", f"{CONNECTORS}/{connector_id}/download", params=query, headers=headers)


async def test_a_reader_goes_on_where_it_stopped(api, connector_id, file_id):
    """With Range and the ETag the rest of the file comes, and says which part it is."""
    whole = await get(api, connector_id, file_id)
    rest = await get(api, connector_id, file_id, range="bytes=200000-", **{"if-range": whole.headers["etag"]})
    assert (200, 206) == (whole.status_code, rest.status_code)
    assert f"bytes 200000-{SIZE - 1}/{SIZE}" == rest.headers["content-range"]
    assert whole.content == whole.content[:200_000] + rest.content


@pytest.mark.parametrize("start", [SIZE, SIZE + 1, 10**15 - 1])
async def test_a_reader_that_has_it_all_is_told_so(api, connector_id, file_id, start):
    """A range at the end of the file or behind it is 416 with the file's size (RFC 9110 section 15.5.17)."""
    tag = (await get(api, connector_id, file_id)).headers["etag"]
    answer = await get(api, connector_id, file_id, range=f"bytes={start}-", **{"if-range": tag})
    assert (416, f"bytes */{SIZE}") == (answer.status_code, answer.headers["content-range"])
    assert [("Range", "not_in_range")] == [(each["field"], each["error_code"]) for each in answer.json()["errors"]]
    notes = (await api.ok("GET", "/api/v1/audit", params={"action": "download"}))["data"]
    assert ["invalid_parameter", "ok"] == [each["outcome"] for each in notes]


@pytest.mark.parametrize("start", [SIZE, SIZE + 1])
async def test_a_range_behind_the_end_of_another_file_is_the_whole_file(api, connector_id, file_id, start):
    """A reader whose file is not this one gets this one, wherever it ends (RFC 9110 section 13.1.5)."""
    answer = await get(api, connector_id, file_id, range=f"bytes={start}-", **{"if-range": '"another"'})
    assert (200, bytes_of(api.running.sandbox, file_id)) == (answer.status_code, answer.content)


class Whole:
    """A sink that has a whole file already, and forgets it if it is told to begin."""

    def __init__(self, tag, data):
        self.source, self.data = Source(tag, len(data)), bytearray(data)

    async def open(self, file):
        """All of it is held."""
        return Held(len(self.data), self.source, hashlib.sha256(self.data))

    async def begin(self, source):
        """From the start."""
        self.data.clear()
        return True

    async def take(self, piece):
        """More."""
        self.data += piece


async def test_our_client_goes_on_with_a_file_that_it_has_all_of(api, connector_id, file_id, monkeypatch):
    """A download that broke off behind its last byte ends well: told that nothing is left, the client reads it anew."""
    for name in ("API_URL", "ORGANIZATION_ID"):
        monkeypatch.delenv(f"AIRBYTE_{name}", raising=False)
    running, data = api.running, bytes_of(api.running.sandbox, file_id)
    access = {"client_id": running.client_id, "client_secret": running.client_secret, "api_url": running.url}
    sink = Whole((await get(api, connector_id, file_id)).headers["etag"], data)
    async with connect("zendesk-support", connector_id=connector_id, **access) as connector:
        arrived = await connector.attachments.download(file_id).into(sink)
    assert (data, SIZE, hashlib.sha256(data).hexdigest()) == (bytes(sink.data), arrived["size"], arrived["sha256"])


@pytest.mark.parametrize("validator", [None, '"another"'])
async def test_a_range_of_another_file_is_the_whole_file(api, connector_id, file_id, validator):
    """Without a validator, or with that of another file, nobody could join the parts: all of it comes."""
    headers = {"range": "bytes=200000-"} | ({} if validator is None else {"if-range": validator})
    answer = await get(api, connector_id, file_id, **headers)
    assert (200, bytes_of(api.running.sandbox, file_id)) == (answer.status_code, answer.content)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"entity": "attachments", "params": "{"}, 422),
        ({"entity": "attachments", "params": "[1]"}, 422),
        ({"entity": "attachments", "params": "{}"}, 422),
        ({"entity": "tickets", "params": "{}"}, 422),
        ({"params": "{}"}, 422),
        ({"entity": "attachments", "params": '{"attachment_id": 99999999999999999999}'}, 422),
        ({"entity": "attachments", "params": '{"attachment_id": 4}'}, 404),
    ],
)
async def test_what_names_no_file_is_refused(api, connector_id, query, status):
    """A mistake is told before an answer has begun."""
    answer = await api("GET", f"{CONNECTORS}/{connector_id}/download", params=query)
    assert status == answer.status_code, answer.text


async def test_a_file_that_breaks_off_is_not_taken_for_whole(api, connector_id, file_id):
    """If Zendesk does not bring the rest, the answer is cut short, and the reader notices."""
    import httpx

    api.running.sandbox.fail("/attachment/*", truncate=50_000)
    api.running.sandbox.fail("/attachment/*", nth=2, times=None, status=404)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await get(api, connector_id, file_id)


async def test_an_empty_file_is_an_answer_without_bytes(api, connector_id, sandbox):
    """A file of no bytes comes as one."""
    answer = await get(api, connector_id, sandbox.add_file(size=0))
    assert (200, b"", "0") == (answer.status_code, answer.content, answer.headers["content-length"])


async def test_a_download_is_in_the_audit_log(api, connector_id, file_id):
    """Whoever reads a file is noted, when it has come to its end."""
    await get(api, connector_id, file_id)
    notes = (await api.ok("GET", "/api/v1/audit", params={"action": "download"}))["data"]
    assert [("attachments", "ok", "read")] == [(each["entity"], each["outcome"], each["effect"]) for each in notes]
