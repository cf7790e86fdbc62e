"""`plugbay serve` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 120
"""Seconds after which a process hangs: on a machine with much else to do a start alone may take a minute."""

PLUGBAY = [sys.executable, "-m", "plugbay.cli"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PLUGBAY_")} | {
    "PYTHONPATH": os.pathsep.join(sys.path)
}


@dataclass
class Served:
    """A server in another process.

    Attributes:
        process: The process.
        line: What it printed when it was ready.
    """

    process: subprocess.Popen[str]
    line: dict[str, Any]

    def end(self) -> int:
        """Asks it to end, and gives its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def served(database: Path | str, *options: str, files: int | None = None, **environ: str) -> Iterator[Served]:
    """Runs `plugbay serve --json` until the block ends.

    Args:
        database: Its file, or a URL.
        options: Of the command.
        files: How many files it may have open at most; the half of them to begin with.
        environ: Its settings; `log` is the file for its log.
    """
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    log = Path(environ.pop("log", os.devnull))
    limited = [] if files is None else ["sh", "-c", f'ulimit -Sn {files // 2} && ulimit -Hn {files} && exec "$@"', "sh"]
    command = [*limited, *PLUGBAY, "serve", "--db", url, "--port", "0", "--json", *options]
    with (
        log.open("a") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=ENVIRONMENT | environ
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield Served(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


def plugbay(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end."""
    command = [*PLUGBAY, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=ENVIRONMENT | environ, check=False, timeout=PATIENCE
    )
