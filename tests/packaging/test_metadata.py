"""The version is said in two places, and the same in both."""

from __future__ import annotations

from importlib.metadata import version

import plugbay


def test_version_is_the_distributions() -> None:
    """`plugbay.__version__` is the version of the installed distribution."""
    assert version("plugbay") == plugbay.__version__
