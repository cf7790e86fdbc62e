from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest

from plugbay.cli.main import main
from plugbay.sandbox import Sandbox

COMMAND = [sys.executable, "-c", "import sys; from plugbay.cli.main import main; sys.exit(main())", "sandbox"]
NOON = datetime(2026, 6, 17, 12, tzinfo=UTC)
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def fails(*options: str) -> str:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr


def test_impossible_port():
    """A port that does not exist ends with one line and status 1."""
    assert fails("--port", "99999") == "plugbay: cannot listen on port 99999: a port is a number from 0 to 65535\n"


def test_taken_port():
    """A port that is in use ends with one line that names it, and status 1."""
    with Sandbox(tickets=1) as first:
        port = first.base_url.rpartition(":")[2]
        assert fails("--port", port) == f"plugbay: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("now", ["2026-06-17T12:00:00Z", "2026-06-17T14:00:00+02:00", "2026-06-17T12:00:00"])
def test_now(now):
    """`--now` gives the data and the keys of a sandbox of that seed and moment, whatever zone it is written in."""
    command = [*COMMAND, "--json", "--seed", "7", "--tickets", "5", "--now", now]
    with (
        Sandbox(seed=7, tickets=5, now=NOON) as sandbox,
        subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as process,
    ):
        try:
            line = json.loads(process.stdout.readline())
            headers = {"authorization": f"Bearer {line['access_token']}"}
            there, here = (
                httpx.get(f"{url}/api/v2/tickets", headers=headers).text.replace(url, "")
                for url in (line["base_url"], sandbox.base_url)
            )
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert there == here
        assert line["redirect_uris"] == list(sandbox.redirect_uris)


@pytest.mark.parametrize(
    ("now", "complaint"),
    [("yesterday", "is not a moment in ISO 8601"), ("", "is not a moment"), ("0001-01-01", "is not within the years")],
)
def test_bad_now(capsys, now, complaint):
    """A `--now` that is no moment is a misuse of the command: status 2, with its usage."""
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "--now", now])

    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("usage: plugbay sandbox")
    assert f"argument --now: {now!r} {complaint}" in error
