"""What the server keeps: one repository for each kind of record, each asked for an organization's rows alone."""

from __future__ import annotations

from plugbay.server.store.audit import Audit, AuditEntry, AuditFilters, Via
from plugbay.server.store.bearers import Bearer, BearerKind, Bearers
from plugbay.server.store.clients import Client, Clients
from plugbay.server.store.connectors import ConnectorRecord, Connectors, ConnectorStatus
from plugbay.server.store.flows import Flow, Flows, FlowStage
from plugbay.server.store.leases import Lease, Leases
from plugbay.server.store.oauth_apps import OAuthApp, OAuthApps
from plugbay.server.store.opening import open_vault
from plugbay.server.store.organizations import Organization, Organizations
from plugbay.server.store.rates import Rates
from plugbay.server.store.secrets import Secret, Secrets
from plugbay.server.store.slice import Slice
from plugbay.server.store.workspaces import Workspace, Workspaces, WorkspaceStatus

__all__ = [
    "Audit",
    "AuditEntry",
    "AuditFilters",
    "Bearer",
    "BearerKind",
    "Bearers",
    "Client",
    "Clients",
    "ConnectorRecord",
    "ConnectorStatus",
    "Connectors",
    "Flow",
    "FlowStage",
    "Flows",
    "Lease",
    "Leases",
    "OAuthApp",
    "OAuthApps",
    "Organization",
    "Organizations",
    "Rates",
    "Secret",
    "Secrets",
    "Slice",
    "Via",
    "Workspace",
    "WorkspaceStatus",
    "Workspaces",
    "open_vault",
]
