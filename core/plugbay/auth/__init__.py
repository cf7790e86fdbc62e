"""Credentials: what makes a request somebody's, and how it is renewed.

This room knows no HTTP client: whoever sends requests hands it an `Exchange` to reach the token endpoint.
"""

from typing import TYPE_CHECKING, Any

from plugbay.auth.basic import BasicToken
from plugbay.auth.credentials import Credentials, Exchange, SecretMap, TokenAnswer
from plugbay.auth.oauth2 import OAuth2
from plugbay.auth.tokens import LockingTokenStore, MemoryTokenStore, Tokens, TokenStore

if TYPE_CHECKING:
    from plugbay.auth.file_store import FileTokenStore
    from plugbay.auth.keyring_store import KeyringTokenStore

__all__ = [
    "BasicToken",
    "Credentials",
    "Exchange",
    "FileTokenStore",
    "KeyringTokenStore",
    "LockingTokenStore",
    "MemoryTokenStore",
    "OAuth2",
    "SecretMap",
    "TokenAnswer",
    "TokenStore",
    "Tokens",
]

_LAZY = {"FileTokenStore": "file_store", "KeyringTokenStore": "keyring_store"}


def __getattr__(name: str) -> Any:
    """Stores that need more than the core does are imported when they are asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only for those who ask

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
