"""The audit file: what is in it when, and what happens when it cannot be written."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plugbay.audit import AuditFile
from plugbay.errors import ConfigurationError
from plugbay.events import PageEvent
from plugbay.trace import Trace

posix = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX system's files")


def page(number=1):
    return PageEvent(at=1.5, call="c", connector="x", operation="y.list", number=number, records=2)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@posix
def test_a_new_file_is_its_owner_s_alone(tmp_path):
    """Others may not read who did what."""
    with AuditFile(tmp_path / "audit.jsonl"):
        assert 0o600 == stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode)


def test_what_is_there_stays(tmp_path):
    """A file that is there is added to."""
    path = tmp_path / "audit.jsonl"
    for number in (1, 2):
        with AuditFile(path) as audit:
            audit(page(number))

    assert [page(1).as_dict(), page(2).as_dict()] == lines(path)


def test_a_line_is_there_at_once(tmp_path):
    """What was told is in the file before the call goes on, not when the file is closed."""
    path = tmp_path / "audit.jsonl"
    with AuditFile(path) as audit:
        audit(page())
        assert [page().as_dict()] == lines(path)


def test_no_text_breaks_a_line(tmp_path):
    """Whatever a text holds, an event is one line of ASCII."""
    path, name = tmp_path / "audit.jsonl", "a\nb\r\u2028\x85\ud800é"
    with AuditFile(path) as audit:
        Trace(name, name, (audit,)).tell("page", number=1, records=2)

    assert 1 == len(path.read_bytes().splitlines())
    assert path.read_bytes().isascii()
    assert name == lines(path)[0]["operation"]


def test_a_path_that_cannot_be_opened_is_told_at_once(tmp_path):
    """A wrong path fails when the program is set up, not when the first call is made."""
    with pytest.raises(ConfigurationError, match="audit file cannot be opened"):
        AuditFile(tmp_path / "nowhere" / "audit.jsonl")


def test_closing_twice_does_nothing(tmp_path, caplog):
    """A file may be closed twice; what comes after that is lost and logged, and raises nothing."""
    audit = AuditFile(tmp_path / "audit.jsonl")
    audit.close()
    audit.close()
    audit(page())

    assert [logging.ERROR] == [record.levelno for record in caplog.records]
    assert [] == lines(tmp_path / "audit.jsonl")


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files as Linux shows them")
def test_nobody_needs_to_close(tmp_path):
    """A listener that nobody holds any more lets go of its file."""
    opened = list(Path("/proc/self/fd").iterdir())
    audit = AuditFile(tmp_path / "audit.jsonl")
    audit(page())
    del audit

    assert len(opened) == len(list(Path("/proc/self/fd").iterdir()))


def test_threads_share_a_file(tmp_path):
    """Any number of threads may tell at once; each line is whole."""
    path = tmp_path / "audit.jsonl"
    with AuditFile(path) as audit, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: audit(page(number)), range(500)))

    assert list(range(500)) == sorted(line["number"] for line in lines(path))


WRITER = """
import sys
from plugbay.audit import AuditFile
from plugbay.events import PageEvent
with AuditFile(sys.argv[1]) as audit:
    for number in range(500):
        audit(PageEvent(at=1.0, call=sys.argv[2], connector="x" * 3000, operation="y", number=number, records=2))
"""


def test_processes_share_a_file(tmp_path):
    """Several processes write to one file, each line whole."""
    path = tmp_path / "audit.jsonl"
    commands = [[sys.executable, "-c", WRITER, str(path), name] for name in "abc"]
    running = [subprocess.Popen(command) for command in commands]

    assert [0, 0, 0] == [process.wait() for process in running]
    written = lines(path)
    assert [list(range(500))] * 3 == [[line["number"] for line in written if line["call"] == name] for name in "abc"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_logged_once_and_breaks_nothing(caplog):
    """Where nothing can be written the log says so once, however many events are lost."""
    with AuditFile("/dev/full") as audit:
        for number in range(5):
            audit(page(number))

    assert [("plugbay.audit", logging.ERROR)] == [(record.name, record.levelno) for record in caplog.records]
    assert "No space left" in caplog.text


FULL = """
import resource, sys
from plugbay.audit import AuditFile
from plugbay.events import PageEvent

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def tell(number):
    audit(PageEvent(at=1.0, call="c", connector="x", operation="y", number=number, records=2))

audit = AuditFile(sys.argv[1])
tell(1)
room(150)
tell(2)
tell(3)
room(resource.RLIM_INFINITY)
tell(4)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits a file's size as Linux does")
def test_a_gap_is_told_in_the_file(tmp_path):
    """When the disk has room again the file says how many events it lacks; half a line spoils no other."""
    path = tmp_path / "audit.jsonl"
    subprocess.run([sys.executable, "-c", FULL, str(path)], check=True, capture_output=True)
    first, half, lost, last = path.read_text().splitlines()

    assert (1, 4) == (json.loads(first)["number"], json.loads(last)["number"])
    assert ("lost", 2) == (json.loads(lost)["kind"], json.loads(lost)["events"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(half)


FORK = """
import os, sys, threading
from plugbay.audit import AuditFile
from plugbay.events import PageEvent

audit = AuditFile(sys.argv[1])
with audit._lock:  # another thread is writing at the moment of the fork
    child = os.fork()
    if child == 0:
        audit(PageEvent(at=1.0, call="child", connector="x", operation="y", number=1, records=2))
        os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_writes_on(tmp_path):
    """A process forked while its parent writes does not wait for its parent's lock."""
    path = tmp_path / "audit.jsonl"
    subprocess.run([sys.executable, "-c", FORK, str(path)], check=True, timeout=30)

    assert ["child"] == [line["call"] for line in lines(path)]
