"""The process that listens: sockets, uvicorn, signals, and how requests that run are seen through at the end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator
from time import monotonic
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from plugbay.server.connection import connection
from plugbay.server.settings import Settings
from plugbay.server.state import Drain

if sys.platform != "win32":
    import resource

__all__ = ["CONNECTIONS_PER_REQUEST", "Process", "allow_files", "keep_what_stays", "listen", "loop_factory"]

logger = logging.getLogger("plugbay.server")

BACKLOG = 2048

IPV6 = 6
MAPPED_BITS = 96
"""Bits of `::ffff:0:0/96`, which IPv4 addresses are mapped into (RFC 4291, section 2.5.5.2)."""

CONNECTIONS_PER_REQUEST = 4
"""Connections for each request that may run at once; most are idle."""


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """A bound socket; port 0 lets the system choose.

    One of several on the port takes no connections yet: the system would hand it its share of them while its process
    is still on its way up.

    Raises:
        OSError: The port cannot be had; `strerror` says which and why.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise OSError(errno.EINVAL, f"cannot listen on {host}:{port}: {error.strerror}") from error
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that say TCP.
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
        if not reuse_port:
            bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    return bound


class Process(uvicorn.Server):
    """Uvicorn, which after the first SIGTERM or SIGINT sees running requests through.

    The process is no longer ready from then on. After SIGTERM it still takes connections for the seconds of notice,
    so that a load balancer sees that, even if no request runs: the next one may be on its way. Each connection is
    closed after its answer. SIGINT is a person's at a terminal, who waits: it gives no notice. A second signal ends
    the process at once.

    Args:
        app: The application.
        settings: The operator's.
        drain: What the application counts its requests in.
        on_ready: Called once connections are accepted.
        has_signals: Whether signals are its own to handle; not so in a process that is somebody else's.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        drain: Drain,
        *,
        on_ready: Callable[[], None] = lambda: None,
        has_signals: bool = True,
    ) -> None:
        super().__init__(_config(app, settings))
        self._settings = settings
        self._drain = drain
        self._on_ready = on_ready
        self._has_signals = has_signals
        self._notice = settings.notice
        self._asked_at = 0.0
        self._why: str | None = None

    def ask_to_end(self, why: str | None = None) -> None:
        """Begins the end.

        Args:
            why: For the log.
        """
        self._drain.begun = True
        self._asked_at = monotonic()
        self._why = why

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to accept connections."""
        await super().startup(sockets)
        logger.info("listening", extra={"address": ", ".join(_address(each) for each in sockets or ())})
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends, once what runs has its answer or no more time."""
        await super().shutdown(sockets)
        logger.info("ended")

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop accepting connections."""
        if self._drain.begun and not self.should_exit:
            self._tell_why()
            waited = monotonic() - self._asked_at
            if waited >= self._notice:
                self.config.timeout_graceful_shutdown = max(1, round(self._settings.drain_seconds - waited))
                self.should_exit = True
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to end."""
        del frame
        if self._drain.begun:
            self.should_exit = self.force_exit = True
            return
        if sig == signal.SIGINT:
            self._notice = 0.0
        self.ask_to_end(signal.Signals(sig).name)

    def _tell_why(self) -> None:
        # Not from the signal's handler, which may have come in the middle of another line.
        if self._why is not None:
            logger.info("draining", extra={"why": self._why, "count": self._drain.running, "seconds": self._notice})
            self._why = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Handles the process's signals for the block."""
        if not self._has_signals:
            yield
            return
        with super().capture_signals():
            yield


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=connection(head_seconds=settings.header_timeout, most=_most_connections(settings.max_requests)),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[form for each in settings.trusted_proxies for form in _forms(each)],
        timeout_keep_alive=round(settings.keep_alive),
        timeout_graceful_shutdown=round(settings.drain_seconds),
        backlog=BACKLOG,
    )


def _forms(proxy: str) -> list[str]:
    """A proxy's address or network as the system may show it: to a socket of IPv6 that takes IPv4 too, as mapped into it."""
    network = ipaddress.ip_network(proxy, strict=False)
    if network.version == IPV6:
        return [proxy]
    return [proxy, f"::ffff:{network.network_address}/{MAPPED_BITS + network.prefixlen}"]


def allow_files() -> None:
    """Lets the process have as many files open as its system allows, since each connection is one.

    What it is given to begin with is often 1024, for the sake of old programs (select(2)).
    """
    if sys.platform != "win32":
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Some systems allow less than they say.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def keep_what_stays() -> None:
    """Takes what there is after the start out of every later collection of garbage.

    Modules, classes and schemas stay until the end of the process. Looking through them costs every full collection
    a pause, and the last one, when nobody is served any more, seconds.
    """
    gc.freeze()


def _most_connections(max_requests: int) -> int:
    wanted = CONNECTIONS_PER_REQUEST * max_requests
    if sys.platform == "win32":
        return wanted
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Half is for the database, for what is asked of Zendesk, and for files.
    return wanted if allowed == resource.RLIM_INFINITY else max(1, min(wanted, allowed // 2))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Makes uvloop's event loops where it is installed; None stands for asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 - it is not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
