"""A process that has imported everything and forks off a child for each job: a child costs milliseconds.

It reads jobs from its input, one JSON object on a line, and answers with the pid of the child. What a child says
goes to the first of the named `pipes` of its job, which ends when the child does; what it is told comes from the second.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from plugbay.auth import FileTokenStore, OAuth2, TokenAnswer
from plugbay.auth.process_lock import process_lock
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.models import ZendeskSupportOauth20AuthConfig
from plugbay.errors import PlugbayError


def connector(job, http=None):
    """A connector to the sandbox whose pair is in the job's file."""
    config = ZendeskSupportOauth20AuthConfig(client_id=job["client_id"], client_secret=job["client_secret"])
    return ZendeskSupportConnector(
        config,
        base_url=job["base_url"],
        token_store=FileTokenStore(job["path"]),
        http=http,
    )


def hold_lock(job, parent):
    """Holds a lock until killed."""

    async def hold():
        async with process_lock(Path(job["lock"]), timeout=60):
            parent.say("held")
            await asyncio.Event().wait()

    asyncio.run(hold())


def fork_inside_lock(job, parent):
    """Forks while it holds a lock, and says the child's pid; both stay."""

    async def hold():
        async with process_lock(Path(job["lock"]), timeout=60):
            if (child := os.fork()) == 0:
                parent.close()
                signal.pause()
            parent.say(child)
            signal.pause()

    asyncio.run(hold())


def call(job, parent):
    """One call; the process kills itself at the line of the library with the number `kill_at`, if it comes so far.

    Lines are counted from the first answer of the service, which says that the token has expired.
    """
    counted, begun = 0, False

    def each_line(frame, event, _):
        nonlocal counted
        if event == "line":
            counted += 1
            if counted == job["kill_at"]:
                os.kill(os.getpid(), signal.SIGKILL)
        return each_line

    def each_call(frame, _event, _argument):
        name = frame.f_code.co_filename
        return each_line if begun and ("plugbay/auth" in name or "plugbay/transport" in name) else None

    class Counting(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            nonlocal begun
            response = await super().handle_async_request(request)
            begun = True
            sys.settrace(each_call)
            return response

    # A thread is traced from its start or not at all.
    threading.settrace(each_call)
    asyncio.run(one_call(connector(job, Counting(verify=False))))
    sys.settrace(None)
    parent.say(counted)


async def one_call(zendesk):
    try:
        await zendesk.users.list(limit=1)
    finally:
        await zendesk.close()


def many_calls(job, parent):
    """At each word of the parent, many calls at once: of several connectors, each in several event loops."""

    async def calls(zendesk):
        await asyncio.gather(*[zendesk.users.list(limit=1) for _ in range(job["calls"])])

    connectors = [connector(job) for _ in range(job["connectors"])]
    with ThreadPoolExecutor(len(connectors) * job["loops"]) as pool:
        while parent.hear():
            list(pool.map(lambda zendesk: asyncio.run(calls(zendesk)), connectors * job["loops"]))
            parent.say("done")


def fork_unnoticed(job, parent):
    """Forks inside the lock as a C library does, of which Python knows nothing; lets go, and says the child's pid."""
    libc = ctypes.CDLL(None)

    async def hold():
        async with process_lock(Path(job["lock"]), timeout=60):
            if (child := libc.fork()) == 0:
                libc.pause()
        parent.say(child)
        parent.hear()

    asyncio.run(hold())


def fork_while_renewing(_job, parent):
    """Forks while a thread is in the middle of a renewal, and says what a renewal gives in the child."""
    credentials = OAuth2(access_token="a0", refresh_token="r0", client_id="c")
    failed, begun = {"authorization": "Bearer a0"}, threading.Event()

    async def never(_path, _body):
        begun.set()
        await asyncio.Event().wait()

    async def at_once(_path, _body):
        return TokenAnswer(200, {"access_token": "a1"})

    threading.Thread(target=lambda: asyncio.run(credentials.renew(failed, never)), daemon=True).start()
    begun.wait()
    if os.fork() == 0:
        renewed = asyncio.run(asyncio.wait_for(credentials.renew(failed, at_once), 20))
        parent.say(renewed["authorization"])
        os._exit(0)


JOBS = {
    job.__name__: job for job in (hold_lock, fork_inside_lock, fork_unnoticed, fork_while_renewing, call, many_calls)
}


class Parent:
    """The two pipes to the process that wants the job done."""

    def __init__(self, to_it, from_it):
        self._to_it = Path(to_it).open("w")  # noqa: SIM115 - open until the end
        self._from_it = Path(from_it).open()  # noqa: SIM115

    def say(self, word):
        print(word, file=self._to_it, flush=True)

    def hear(self):
        """The next word; empty when there is none to come."""
        return self._from_it.readline()

    def close(self):
        self._to_it.close()
        self._from_it.close()


def run(job):
    """The life of a child."""
    parent = Parent(*job["pipes"])
    try:
        JOBS[job["job"]](job, parent)
    except BaseException:  # noqa: BLE001 - the parent shows it
        parent.say(traceback.format_exc())
    finally:
        os._exit(0)


def warm_up():
    """What is made once for a process is made before there are children."""
    config = ZendeskSupportOauth20AuthConfig(access_token="a")
    refuse = httpx.MockTransport(lambda request: httpx.Response(404))
    with contextlib.suppress(PlugbayError):
        asyncio.run(one_call(ZendeskSupportConnector(config, subdomain="acme", http=refuse)))


def main():
    warm_up()
    gc.freeze()  # or a child's first collection copies all that its parent made
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child ended
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(json.loads(line))
        print(pid, flush=True)  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()
