"""Where this user's programs keep what is no configuration: lock files of stores that are no files."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from plugbay.auth.private_file import make_directory
from plugbay.errors import ConfigurationError

__all__ = ["lock_file"]


def lock_file(*names: str) -> Path:
    """The path of the lock file that belongs to these names; its directory is made if need be.

    Raises:
        ConfigurationError: The directory cannot be made, or there is no home directory.
    """
    # A digest, as a name may have characters that no file name can.
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
    try:
        directory = _root() / "plugbay" / "locks"
        make_directory(directory)
    except (OSError, RuntimeError) as error:
        raise ConfigurationError(
            f"There is no directory for the lock of the token store: {type(error).__name__}.",
            hint="Set XDG_STATE_HOME to one that can be written." if _is_xdg() else None,
        ) from error
    return directory / f"{digest[:32]}.lock"


def _root() -> Path:
    """The state directory of the user: XDG's, or what stands for it on macOS and Windows."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    given = os.environ.get("XDG_STATE_HOME", "")
    # A relative path there is to be ignored (XDG Base Directory Specification 0.8).
    return Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"


def _is_xdg() -> bool:
    return sys.platform not in ("win32", "darwin")
