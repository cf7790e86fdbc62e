"""The processes of the server: started, killed, ended in good order, and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos.cluster.facts import Kill

__all__ = ["Member"]

START_SECONDS = 60.0
END_SECONDS = 60.0


class Member:
    """One process, which is started as often as it ends.

    Args:
        number: Which.
        environment: Its settings.
        host: The name that it has for Zendesk's host, by which its requests are known.
        folder: Where its log goes.

    Attributes:
        number, host: As above.
        said: What it said when it was ready first.
        log: The path of its log.
    """

    def __init__(self, number: int, environment: Mapping[str, str], host: str, folder: Path) -> None:
        self.number = number
        self.host = host
        self.said: dict[str, Any] = {}
        self.log = folder / f"member-{number}.log"
        zendesk = environment["PLUGBAY_ZENDESK_URL"].replace("127.0.0.1", host)
        self._environment = {**os.environ, **environment, "PLUGBAY_ZENDESK_URL": zendesk}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None if none does."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Starts it, and waits until it takes connections.

        Raises:
            RuntimeError: It ended instead.
        """
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "plugbay.cli", "serve", "--json", "--reuse-port",
                env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"member {self.number} did not start; see {self.log}")
        said = json.loads(line)
        # The secret is told by the process that made the client, once.
        self.said = {**said, **{name: value for name, value in self.said.items() if value is not None}}

    async def kill(self) -> Kill:
        """Ends it with SIGKILL."""
        return await self._end(signal.SIGKILL)

    async def terminate(self) -> Kill:
        """Ends it with SIGTERM, and waits until it has seen its requests through.

        Raises:
            RuntimeError: It did not end, or with another status than 0.
        """
        kill = await self._end(signal.SIGTERM)
        assert self._process is not None
        # uvicorn raises the signal again once it has handled it.
        if self._process.returncode not in (0, -signal.SIGTERM):
            raise RuntimeError(f"member {self.number} ended with status {self._process.returncode} after SIGTERM")
        return kill

    async def _end(self, sign: signal.Signals) -> Kill:
        process = self._process
        if process is None or process.returncode is not None:
            raise RuntimeError(f"member {self.number} has ended by itself; see {self.log}")
        at = time.time()
        process.send_signal(sign)
        kill = Kill(at, time.time(), self.number, is_hard=sign is signal.SIGKILL)
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
        return kill

    def memory(self) -> float:
        """Its resident memory, in MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0
