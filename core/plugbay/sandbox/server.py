"""The life of a sandbox: sockets, a thread with an event loop of its own, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Generator
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from plugbay.sandbox.connection import Connection

_LOOPBACK = "127.0.0.1"
_PATIENCE = 10.0


def listen(port: int = 0, host: str = _LOOPBACK) -> socket.socket:
    """A socket bound on loopback; port 0 lets the system choose.

    Raises:
        OSError: The port cannot be had; `strerror` says which and why.
    """
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that say TCP.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OverflowError as error:
        bound.close()
        raise OSError(errno.EINVAL, f"cannot listen on port {port}: a port is a number from 0 to 65535") from error
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    return bound


def address(bound: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = bound.getsockname()
    return f"http://{host}:{port}"


class Server:
    """Serves applications on sockets that are already bound, in a background thread, until stopped.

    Args:
        pairs: Each application with its socket; the sockets are closed by `stop`.
    """

    def __init__(self, pairs: list[tuple[ASGIApp, socket.socket]]) -> None:
        self._sockets = [bound for _, bound in pairs]
        self._servers = [(_Quiet(_config(app)), bound) for app, bound in pairs]
        self._thread = threading.Thread(target=self._run, name="plugbay-sandbox", daemon=True)
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Begin serving; returns once connections are accepted."""
        self._thread.start()
        started = self._ready.wait(_PATIENCE)
        if self._failure is not None or not started:
            self.stop()
            raise RuntimeError("the sandbox did not start") from self._failure

    def stop(self) -> None:
        """End serving and leave no thread and no socket behind."""
        for server, _ in self._servers:
            server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        for bound in self._sockets:
            bound.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits for the start
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        tasks = [asyncio.ensure_future(server.serve(sockets=[bound])) for server, bound in self._servers]
        while not all(server.started for server, _ in self._servers):
            if any(task.done() for task in tasks):
                break
            await asyncio.sleep(0.002)
        self._ready.set()
        await asyncio.gather(*tasks)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Quiet(uvicorn.Server):
    """A server that leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
