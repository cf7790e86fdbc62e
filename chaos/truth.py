"""The runner's end of the service: starts it, asks it, ends it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

__all__ = ["Service"]

PATIENCE = 30.0


class Service:
    """The process of a round's service; use it as `with Service(...) as service:`.

    Args:
        settings: See `chaos.service.main`.

    Attributes:
        start: What it said of itself when it was ready.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self.start: dict[str, Any] = {}

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return str(self.start["base_url"])

    def ask(self, question: str) -> Any:
        """The truth about the account; it is asked past the library, and never fails."""
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port or 80, timeout=PATIENCE)
        try:
            connection.request("POST", f"/chaos/{question}", body=b"{}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "chaos.service", json.dumps(self._settings)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait()
            raise RuntimeError("the service did not start")
        self.start = json.loads(line)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
