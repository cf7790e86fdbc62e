"""Stores are where users look for them, and cost nothing to those who use none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import plugbay.auth

HEAVY = {"sqlite3", "keyring", "fcntl", "msvcrt", "tempfile", "asyncio", "multiprocessing"}


def test_import_brings_no_store():
    """Importing the room imports no store but the one in memory, and nothing that only stores need."""
    code = "import plugbay.auth, sys, json; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    lazy = {f"plugbay.auth.{name}" for name in ("file_store", "keyring_store", "process_lock", "private_file", "state")}
    assert set() == loaded & (HEAVY | lazy)


@pytest.mark.parametrize("name", plugbay.auth.__all__)
def test_all_names_are_there(name):
    """Every name that the room promises can be had from it."""
    assert getattr(plugbay.auth, name).__module__.startswith(("plugbay.auth", "collections.abc"))


def test_other_names_are_not():
    """A name that nobody promised is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="CloudTokenStore"):
        _ = plugbay.auth.CloudTokenStore
