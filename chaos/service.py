"""The service of one round: a sandbox in a process of its own, whose time runs fast and whose requests go wrong.

It is asked for the truth by requests to `/chaos/<question>`, which are answered in the sandbox's own thread, so that
what they read does not change under them.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chaos.fast import START, monotonic
from chaos.storm import LOSSY, Storm, mark_of
from plugbay.sandbox import Sandbox, oauth, seeding, views
from plugbay.sandbox.failure import Failure
from plugbay.sandbox.recording import RecordedRequest

__all__ = ["main"]

PREFIX = "/chaos/"
TICK = 0.002
LIFE = 1_800.0
"""How long a pair's access token lives, in seconds, unless it is ended before."""

FILES = (700, 40_000, 250_000)


class Desk:
    """Answers questions about the account, and lets requests fail.

    Args:
        sandbox: The service.
        storm: Says which requests fail.
        expire_every: After how many requests all renewable access tokens end before their time.
    """

    def __init__(self, sandbox: Sandbox, storm: Storm, expire_every: int) -> None:
        self._sandbox = sandbox
        self._storm = storm
        self._expire_every = expire_every
        self._count = 0
        self._healed = False
        self._marked: dict[str, list[tuple[RecordedRequest, str]]] = {}
        self._lossy = 0
        self._expired: list[float] = []
        self._questions: dict[str, Callable[[], Any]] = {
            "truth": self._truth,
            "grant": self._grant,
            "live": self._live,
            "heal": self._heal,
        }

    def choose(self, request: RecordedRequest) -> Failure | None:
        """How a request fails; a question is answered by a failure as well."""
        if request.path.startswith(PREFIX):
            return Failure(status=200, body=self._questions[request.path.removeprefix(PREFIX)]())
        if self._healed:
            return None
        self._count += 1
        if self._count % self._expire_every == 0:
            self._expire()
        name, failure = self._storm.choose(request) or ("", None)
        if request.path == "/oauth/tokens" and name.endswith(LOSSY):
            self._lossy += 1
        if mark := mark_of(request):
            self._marked.setdefault(mark, []).append((request, name))
        return failure

    def _expire(self) -> None:
        now = self._sandbox.clock.timestamp()
        for token in self._sandbox.account.tokens.values():
            if token.refresh is not None and (token.expires_at or 0) > now:
                token.expires_at = now
        self._expired.append(time.monotonic())

    def _grant(self) -> dict[str, Any]:
        """A new pair, as after a person has authorized again."""
        account = self._sandbox.account
        now = self._sandbox.clock.timestamp()
        client, admin = account.clients[self._sandbox.client_id], seeding.admin(account)["id"]
        token = oauth.new_token(
            account, client, admin, "read write", expires_at=now + LIFE, refresh_expires_at=now + 30 * 86_400
        )
        return {"access": token.access, "refresh": token.refresh}

    def _live(self) -> dict[str, Any]:
        """What refresh tokens are good for now, and when access tokens were ended."""
        tokens = self._sandbox.account.tokens.values()
        return {"refresh": [token.refresh for token in tokens if token.refresh], "expired": self._expired}

    def _heal(self) -> dict[str, Any]:
        self._healed = True
        return {}

    def _truth(self) -> dict[str, Any]:
        """All that was written, every request that wrote it, and what was done to requests."""
        account = self._sandbox.account
        return {
            "tickets": [views.ticket(account, ticket) for ticket in account.tickets.values()],
            "comments": {
                number: [views.comment(account, comment) for comment in comments]
                for number, comments in account.comments.items()
            },
            "audits": {
                number: [audit["metadata"]["custom"] for audit in audits if audit["metadata"].get("custom")]
                for number, audits in account.audits.items()
            },
            "calls": [call["id"] for call in account.calls],
            "requests": {
                mark: [[request.method, request.status, name] for request, name in seen]
                for mark, seen in self._marked.items()
            },
            "faults": dict(self._storm.hit),
            "count": self._count,
            "lossy": self._lossy,
            "throttled": sum(request.status == 429 for request in self._sandbox.requests),  # noqa: PLR2004 - HTTP's
        }


def _follow(sandbox: Sandbox, epoch: float, stopped: threading.Event) -> None:
    """Keeps the sandbox's clock at the run's own time."""
    while not stopped.wait(TICK):
        sandbox.clock.advance(max(0.0, epoch + monotonic() - sandbox.clock.timestamp()))


def main(text: str) -> None:
    """Serves until the standard input ends.

    Args:
        text: JSON with `seed`, `share`, `plan`, `tickets`, `calls`, `expire_every` and `epoch`;
            see `chaos.fast`.
    """
    given = json.loads(text)
    now = datetime.fromtimestamp(START, UTC)
    sandbox = Sandbox(
        seed=int(given["data"]), tickets=given["tickets"], calls=given["calls"], plan=given["plan"], now=now
    )
    files = {
        sandbox.add_file(size=size, name=f"{size}.bin", content_type="application/octet-stream"): size for size in FILES
    }
    data = {
        number: b"".join(sandbox.account.files[number].data.chunks(0, size))  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        for number, size in files.items()
    }
    stopped = threading.Event()
    with sandbox:
        sandbox.fail_with(
            Desk(sandbox, Storm(given["seed"], given["share"], sandbox.clock.now), given["expire_every"]).choose
        )
        ticker = threading.Thread(target=_follow, args=(sandbox, given["epoch"], stopped))
        ticker.start()
        start = {
            **sandbox.connection(),
            "tickets": [[ticket["id"], ticket["status"]] for ticket in sandbox.account.tickets.values()],
            "calls": [call["id"] for call in sandbox.account.calls],
            "phone_numbers": list(sandbox.account.phone_numbers),
            "files": {number: base64.b64encode(content).decode() for number, content in data.items()},
        }
        print(json.dumps(start), flush=True)
        sys.stdin.read()
        stopped.set()
        ticker.join()


if __name__ == "__main__":
    main(sys.argv[1])
