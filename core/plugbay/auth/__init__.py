"""Credentials: what makes a request somebody's, and how it is renewed.

This room knows no HTTP client: whoever sends requests hands it an `Exchange` to reach the token endpoint.
"""

from plugbay.auth.basic import BasicToken
from plugbay.auth.credentials import Credentials, Exchange, SecretMap, TokenAnswer
from plugbay.auth.oauth2 import OAuth2
from plugbay.auth.tokens import MemoryTokenStore, Tokens, TokenStore

__all__ = [
    "BasicToken",
    "Credentials",
    "Exchange",
    "MemoryTokenStore",
    "OAuth2",
    "SecretMap",
    "TokenAnswer",
    "TokenStore",
    "Tokens",
]
