"""An organization's policy: what its document means, and whether it means anything."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from plugbay.errors import ConfigurationError
from plugbay.mending import nearest
from plugbay.policy import Policy
from plugbay.server.catalog import DEFINITIONS

__all__ = ["check_policy", "policy_of"]

_RULES = ("allow", "deny", "confirm")


def policy_of(document: Mapping[str, Any]) -> Policy | None:
    """The policy that an organization's document describes; None for one that restricts nothing.

    Raises:
        ConfigurationError: It describes none.
    """
    return Policy(**document) if document else None


def check_policy(document: Mapping[str, Any]) -> None:
    """Refuses a document that cannot mean what its author thinks.

    Raises:
        ConfigurationError: It describes no policy, or a pattern fits no action of any connector: one that was to deny
            would deny nothing.
    """
    policy = policy_of(document)
    if policy is None:
        return
    known = [operation.name for each in DEFINITIONS for actions in each.connector.operations.values()
             for operation in actions.values()]  # fmt: skip
    for rule in _RULES:
        for pattern in getattr(policy, rule):
            if not fnmatch.filter(known, pattern):
                close = nearest(pattern, known)
                raise ConfigurationError(
                    f"{rule}: {pattern!r} fits no action of any connector."
                    + (f" Did you mean {close!r}?" if close else ""),
                    details={"field": rule},
                )
