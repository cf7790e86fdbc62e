"""The public face of a sandbox."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self, Unpack

from plugbay.sandbox import app, attachments, oauth, seeding
from plugbay.sandbox.account import Account, Client, Record
from plugbay.sandbox.clock import Clock, real_time
from plugbay.sandbox.failure import Failure, What
from plugbay.sandbox.faults import Chooser, Fault, Faults, Selection
from plugbay.sandbox.recording import RecordedRequest
from plugbay.sandbox.server import Server, address, listen

_NAMES = (
    "base_url", "subdomain", "access_token", "email", "api_token", "client_id", "client_secret", "refresh_token",
    "redirect_uris",
)  # fmt: skip


class Sandbox:
    """A Zendesk that runs on loopback, with believable data that writes really change.

    Use it as `with Sandbox() as sb:` or `async with Sandbox() as sb:`; the names below exist inside the block.
    Search sees every write at once, unlike the real service, whose index lags by up to minutes.

    Args:
        seed: Decides all data; the same seed and the same `now`, or the same hour, give the same account.
        tickets: How many tickets there are.
        calls: How many Talk calls there are.
        plan: The plan whose rate limits apply, such as "team" or "enterprise_plus"; None for no limits.
        port: The port to listen on; 0 lets the system choose.
        now: The moment at which the data ends and the sandbox's clock starts. When left out the clock shows the real
            time, and the data ends with the last full hour (UTC), so that it is the same for that whole hour.

    Attributes:
        clock: The sandbox's time; `clock.advance(seconds=...)` moves it.
        account: The data itself, for white-box assertions.
        requests: What has arrived, in order.
        email, api_token: For basic authentication as the administrator, `email/token:api_token`.
        access_token: A bearer token of the administrator that never expires.
        client_secret, refresh_token: Of `client_id`; the refresh token is good for one use.
        redirect_uris: Where OAuth may lead back to, for `client_id` and `public_client_id` alike; those that are plain
            http on a loopback address hold with any port.
    """

    subdomain = Account.subdomain
    client_id = "sandbox_app"
    """The identifier of a confidential OAuth client."""
    public_client_id = "sandbox_public"
    """The identifier of an OAuth client that has no secret and must use PKCE."""

    def __init__(
        self,
        *,
        seed: int = 1,
        tickets: int = 300,
        calls: int = 120,
        plan: str | None = "enterprise_plus",
        port: int = 0,
        now: datetime | None = None,
    ) -> None:
        # Time stands still while the data is made, so that it depends on the seed and this moment alone.
        self.clock = Clock(now or real_time().replace(minute=0, second=0, microsecond=0), running=False)
        self.account = Account(seed, self.clock, plan)
        self.requests: list[RecordedRequest] = []
        seeding.fill(self.account, tickets, calls)
        if now is None:
            self.clock.advance(max(0.0, (real_time() - self.clock.now()).total_seconds()))
        self.clock.run()
        self.email = str(seeding.admin(self.account)["email"])
        self.api_token = min(self.account.api_tokens)
        self.access_token = seeding.lasting_token(self.account)
        self.refresh_token = seeding.renewable_token(self.account)
        self.client_secret = self.account.clients[self.client_id].secret or ""
        self.redirect_uris = self.account.clients[self.client_id].redirect_uris
        self._port = port
        self._server: Server | None = None
        self._faults = Faults()

    @property
    def base_url(self) -> str:
        """Where the sandbox listens, such as "http://127.0.0.1:40123"."""
        return self.account.base_url

    @property
    def files_url(self) -> str:
        """The second host, which serves the bytes of attachments."""
        return self.account.files_url

    def token(
        self,
        scope: str = "read write",
        *,
        role: str = "admin",
        user_id: int | None = None,
        expires_in: float | None = None,
    ) -> str:
        """A new bearer token.

        Args:
            scope: Its scopes, separated by spaces.
            role: Whose token: the first user that is "admin", "agent", "light-agent" or "end-user".
            user_id: Whose token, by id; replaces `role`.
            expires_in: Its lifetime in seconds; None is for ever.
        """
        user = self.account.users[user_id] if user_id is not None else self.user(role)
        expires_at = None if expires_in is None else self.clock.timestamp() + expires_in
        client = self.account.clients[self.client_id]
        return oauth.new_token(
            self.account, client, user["id"], scope, expires_at=expires_at, refresh_expires_at=None
        ).access

    def user(self, role: str) -> Record:
        """The first user of a role: "admin", "agent", "light-agent" or "end-user"."""
        light = role == "light-agent"
        wanted = "agent" if light else role
        for user in self.account.users.values():
            if user["role"] == wanted and user["only_private_comments"] == light:
                return user
        raise ValueError(f"unknown role {role!r}")

    def add_client(
        self,
        identifier: str,
        *,
        secret: str | None = None,
        redirect_uris: tuple[str, ...] = ("http://127.0.0.1/callback",),
        scopes: tuple[str, ...] | None = None,
    ) -> None:
        """Register another OAuth client.

        Args:
            identifier: Its `client_id`.
            secret: Its secret; without one the client is public and must use PKCE.
            redirect_uris: Where it may be sent back to.
            scopes: What it may ask for; None is everything.
        """
        owner = seeding.admin(self.account)["id"]
        client = Client(self.account.next_id(), identifier, identifier, secret, redirect_uris, scopes, owner)
        self.account.clients[identifier] = client

    def allow_redirect(self, uri: str) -> None:
        """Let `client_id` and `public_client_id` be sent back to another address as well.

        Args:
            uri: The address, exactly as it will be given in `redirect_uri`.
        """
        for identifier in (self.client_id, self.public_client_id):
            client = self.account.clients[identifier]
            if uri not in client.redirect_uris:
                client.redirect_uris = (*client.redirect_uris, uri)
        self.redirect_uris = self.account.clients[self.client_id].redirect_uris

    def add_file(self, *, size: int, name: str = "file.bin", content_type: str = "application/octet-stream") -> int:
        """Add an attachment whose bytes are made while they are sent, however many they are.

        Args:
            size: How many bytes.
            name: Its file name.
            content_type: Its media type.

        Returns:
            Its id. `account.files[id].data` has the same bytes: `len(data)`, and `data.chunks(start, stop)`.

        Raises:
            ValueError: The size is negative.
        """
        if size < 0:
            raise ValueError(f"size must not be negative, but is {size}")
        return attachments.add_generated(self.account, size, name, content_type).id

    def fail(
        self,
        path: str = "*",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
        match: Callable[[RecordedRequest], bool] | None = None,
        **what: Unpack[What],
    ) -> Fault:
        """Let requests fail, from now on and from any thread; faults are tried in the order in which they were set.

        Args:
            path: A path, or a pattern of one such as "/api/v2/tickets*", in which a star stands for slashes too; both
                hosts are meant.
            method: Only requests of this method.
            nth: Begin with the nth of these requests, counted from now, be it hit by another fault or not.
            times: How many of them to hit; None is all.
            match: Only requests of which this is true; it is called in the sandbox's thread.
            what: What happens: the fields of a `Failure`.

        Returns:
            The fault: `hits` is how many requests it has hit, `stop()` ends it.

        Raises:
            ValueError: Nothing is to go wrong, a value is out of range, or two of them exclude each other.
        """
        failure = Failure(**what)
        return self._faults.add(
            lambda _: failure, Selection(path=path, method=method, nth=nth, times=times, match=match)
        )

    def fail_with(self, chooser: Chooser) -> Fault:
        """Ask a function how each request is to fail, for as long as the fault stands.

        Args:
            chooser: Called in the sandbox's thread with every request that no earlier fault has hit; a `Failure` or None.
        """
        return self._faults.add(chooser, Selection(times=None))

    def heal(self) -> None:
        """Remove all faults."""
        self._faults.heal()

    def connection(self) -> dict[str, str | tuple[str, ...]]:
        """Everything a client needs to connect, by name."""
        return {name: getattr(self, name) for name in _NAMES}

    def start(self) -> None:
        """Begin to listen; `with` does this."""
        main = listen(self._port)
        try:
            files = listen()
        except OSError:
            main.close()
            raise
        self.account.base_url, self.account.files_url = address(main), address(files)
        self._server = Server(
            [
                (app.zendesk(self.account, self.requests, self._faults.choose), main),
                (app.content(self.account, self.requests, self._faults.choose), files),
            ]
        )
        self._server.start()

    def stop(self) -> None:
        """End listening, and leave no thread or socket behind; `with` does this."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def serve(  # noqa: PLR0917 - the command line calls it by position
    port: int = 0,
    seed: int = 1,
    tickets: int = 300,
    plan: str | None = "enterprise_plus",
    as_json: bool = False,
    host: str = "127.0.0.1",
    now: datetime | None = None,
) -> None:
    """Run a sandbox until SIGINT or SIGTERM; once it is ready, print how to connect.

    Args:
        port: The port to listen on; 0 lets the system choose.
        seed: Decides all data.
        tickets: How many tickets there are.
        plan: The plan whose rate limits apply; None for no limits.
        as_json: Print one line of JSON instead of text for people.
        host: Must be a loopback address.
        now: The moment at which the data ends and the clock starts.

    Raises:
        OSError: The port is no port or is taken; `strerror` is a sentence for people.
    """
    if host not in ("127.0.0.1", "localhost"):
        raise ValueError("a sandbox only listens on loopback")
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with Sandbox(seed=seed, tickets=tickets, plan=plan, port=port, now=now) as sandbox:
        text = json.dumps(sandbox.connection()) if as_json else _text(sandbox.connection())
        print(text, flush=True)  # noqa: T201 - this is its output
        # A wait without end would keep Python from noticing signals on some platforms.
        while not stopped.wait(0.5):
            pass


def _text(connection: dict[str, str | tuple[str, ...]]) -> str:
    width = max(map(len, connection))
    shown = {name: value if isinstance(value, str) else " ".join(value) for name, value in connection.items()}
    lines = (f"  {name:<{width}}  {value}" for name, value in shown.items())
    return "\n".join(("A sandbox Zendesk is listening. Stop it with Ctrl-C.", "", *lines))
