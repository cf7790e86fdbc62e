"""Properties of whole calls, through the real connectors."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_settings():
    """The environment names no Zendesk and no proxy."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ZENDESK_")]:
            patch.delenv(name)
        yield
