"""The endpoints of the hosted API, a module for each resource."""

from __future__ import annotations

from plugbay.server.api import (
    account,
    audit,
    changes,
    checks,
    connectors,
    definitions,
    docs,
    execution,
    files,
    inspection,
    policy,
    workspaces,
)

__all__ = ["ENDPOINTS"]

ENDPOINTS = [
    *account.ENDPOINTS,
    *workspaces.ENDPOINTS,
    *definitions.ENDPOINTS,
    *connectors.ENDPOINTS,
    *changes.ENDPOINTS,
    *checks.ENDPOINTS,
    *execution.ENDPOINTS,
    *files.ENDPOINTS,
    *inspection.ENDPOINTS,
    *docs.ENDPOINTS,
    *audit.ENDPOINTS,
    *policy.ENDPOINTS,
]
