"""The command `plugbay`."""

from plugbay.cli.main import main

__all__ = ["main"]
