"""The face for synchronous code."""

from __future__ import annotations

import asyncio
import copy
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from plugbay import ConfigurationError, InvalidParameterError, PolicyDeniedError, UnknownOperationError
from plugbay.context import ToolCall, open_tool_call
from plugbay.sandbox import Sandbox
from plugbay.sync import run


def answer(request):
    number = request.url.path.rpartition("/")[2]
    if number == "boxes":
        return {"boxes": [{"id": 1}], "meta": {"has_more": True, "after_cursor": "x"}}
    return {"box": {"id": int(number)}}


def test_typed_and_by_name(world):
    """Entities and actions are called without await; execute() too."""
    sync = world.cellar(answer).sync

    assert {"id": 7} == sync.boxes.get(7)
    assert {"id": 7} == sync.execute("boxes", "get", {"box_id": 7}, select_fields=["id"]).data


def test_list_is_one_page(world):
    """A list is one page, and goes on with its cursor."""
    page = world.cellar(answer).sync.boxes.list(limit=1)

    assert [{"id": 1}] == page.data
    assert page.meta.cursor


def test_check_and_close(world):
    """check() and close() are there, too; a closed connector opens anew."""
    sync = world.support({"user": {"id": 1}}).sync

    assert "healthy" == sync.check()["status"]
    sync.close()
    sync.close()
    assert "healthy" == sync.check()["status"]


def test_from_many_threads(world):
    """Any number of threads may call at once, over one background thread."""
    sync = world.cellar(answer).sync
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(sync.boxes.get, range(1, 101)))

    assert [{"id": number} for number in range(1, 101)] == found
    assert 1 == sum(thread.name == "plugbay-sync" for thread in threading.enumerate())


async def test_inside_a_running_loop(world):
    """Synchronous code works in the thread of a running loop, and beside asynchronous calls."""
    cellar = world.cellar(answer)

    assert {"id": 1} == cellar.sync.boxes.get(1)
    assert {"id": 2} == await cellar.boxes.get(2)
    assert {"id": 3} == await asyncio.to_thread(cellar.sync.boxes.get, 3)


def test_after_a_loop_of_its_own(world):
    """The same connector serves `asyncio.run`, twice, and synchronous code."""
    cellar = world.cellar(answer)

    async def get():
        return await cellar.boxes.get(1)

    assert [{"id": 1}] * 3 == [asyncio.run(get()), cellar.sync.boxes.get(1), asyncio.run(get())]


async def test_tool_call_is_carried_over(world):
    """A model's call stays a model's call on the background thread: it may not write."""
    sync = world.cellar(answer).sync

    with open_tool_call(ToolCall("t")) as call:
        with pytest.raises(PolicyDeniedError):
            sync.boxes.create(name="A")
        with pytest.raises(PolicyDeniedError):
            await asyncio.to_thread(sync.execute, "boxes", "delete", {"box_id": 1})
        sync.boxes.get(1)

    assert ["boxes.get"] == [step.operation.name for step in call.done]
    assert 1 == len(world.requests)


def test_unknown_names(world):
    """An unknown entity or action is a missing attribute, or by name the library's own error."""
    sync = world.cellar(answer).sync

    with pytest.raises(AttributeError, match="Cellar has no entity 'box'"):
        sync.box  # noqa: B018
    with pytest.raises(AttributeError, match="Boxes has no action 'summary'"):
        sync.boxes.summary  # noqa: B018
    with pytest.raises(AttributeError):
        sync.boxes._bound  # noqa: B018
    with pytest.raises(UnknownOperationError):
        sync.execute("box", "get")


def test_errors_arrive(world):
    """A refusal arrives as it is, from typed calls, lists and execute()."""
    sync = world.cellar(answer).sync
    for call in (lambda: sync.boxes.get(0), lambda: sync.boxes.list(limit=0), lambda: sync.execute("boxes", "get")):
        with pytest.raises(InvalidParameterError):
            call()


def test_copies_do_not_recurse(world):
    """Copying a synchronous face does not run in circles."""
    assert {"id": 1} == copy.copy(world.cellar(answer).sync).boxes.get(1)


def test_from_the_background_itself(world):
    """A synchronous call from a callback on the background loop fails; it would wait for itself for ever."""
    sync = world.cellar(answer).sync

    async def callback():
        return sync.boxes.get(1)

    with pytest.raises(ConfigurationError, match="from within"):
        run(callback())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_closes_what_is_its_own():
    """A child of a process that used the synchronous face makes calls of its own, and closes without waiting for the parent's."""
    code = (
        "import asyncio, os, signal, sys\n"
        "from plugbay.connectors.zendesk_support import ZendeskSupportConnector as C\n"
        "from plugbay.connectors.zendesk_support import ZendeskSupportOauth20AuthConfig as A\n"
        "c = C(A(access_token=sys.argv[2]), base_url=sys.argv[1])\n"
        "assert c.sync.tickets.get(1)['id'] == 1\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    signal.alarm(4)\n"
        "    asyncio.run(c.close())\n"
        "    assert c.sync.tickets.get(1)['id'] == 1\n"
        "    os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    with Sandbox(tickets=3) as sandbox:
        command = [sys.executable, "-W", "ignore", "-c", code, sandbox.base_url, sandbox.access_token]
        assert 0 == subprocess.run(command, check=False).returncode
