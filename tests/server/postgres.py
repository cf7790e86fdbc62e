"""A throw-away PostgreSQL server from the system's binaries, for tests; `python postgres.py command...` runs one with it.

The command finds its URL in PLUGBAY_TEST_POSTGRES. The server listens on loopback alone, keeps its files in a
temporary directory, and is gone afterwards.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OLDEST = 15
TRIES = 3
PATIENCE = "300"
"""Seconds that a start or an end may take."""


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server where databases may be created.

    Raises:
        RuntimeError: There are no binaries of PostgreSQL 15 or later.
    """
    binaries = _binaries()
    password = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="plugbay-postgres-") as temporary:
        directory = Path(temporary)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
        data = directory / "data"
        # It is read by initdb alone, and says nothing outside of this directory.
        password_file = directory / "password"
        password_file.write_text(password)
        password_file.chmod(0o644)
        _run(binaries / "initdb", "-D", data, "-U", "plugbay", "-A", "scram-sha-256", "--pwfile", password_file,
             "-E", "UTF8", "--no-locale", "--no-sync")  # fmt: skip
        port = _started(binaries, directory)
        try:
            yield f"postgresql://plugbay:{password}@127.0.0.1:{port}/postgres"
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "-t", PATIENCE, "stop")


def _started(binaries: Path, directory: Path) -> int:
    """Starts the server; returns its port."""
    for left in reversed(range(TRIES)):
        port = _free_port()
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {directory} -c max_connections=400"
        try:
            _run(binaries / "pg_ctl", "-D", directory / "data", "-l", directory / "log", "-w", "-t", PATIENCE,
                 "-o", options, "start")  # fmt: skip
        except RuntimeError:
            # Somebody else may have taken the port meanwhile.
            if not left:
                raise
        else:
            break
    return port


def _binaries() -> Path:
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    found = [path for path in found if path.parent.name.isdigit() and int(path.parent.name) >= OLDEST]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    if (initdb := shutil.which("initdb")) is not None:
        return Path(initdb).resolve().parent
    raise RuntimeError(f"There is no PostgreSQL {OLDEST} or later in /usr/lib/postgresql, nor initdb in the path.")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _run(*command: str | Path) -> None:
    """Runs a program of PostgreSQL, which refuses to be run by root."""
    whose: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    # pg_ctl leaves the server its output: a pipe would never end.
    done = subprocess.run(
        list(map(str, command)), cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, **whose
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed with status {done.returncode}.")


if __name__ == "__main__":
    # Whoever ends this process means the server as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with postgres() as url:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "PLUGBAY_TEST_POSTGRES": url}, check=False).returncode)
