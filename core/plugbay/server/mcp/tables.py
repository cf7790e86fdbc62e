"""The tables of the authorization server: who asks, what a person has granted, and the codes on the way."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from plugbay.server.tables import metadata

__all__ = ["mcp_clients", "mcp_codes", "mcp_documents", "mcp_grants"]

Id = String(36)
Digest = String(64)

# Clients that have registered themselves; `used_at` is empty until somebody has granted one something.
mcp_clients = Table(
    "mcp_clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("used_at", Double),
    Column("expires_at", Double, nullable=False, index=True),
    Index(None, "used_at", "created_at"),
)

# What was read lately of the metadata documents of clients.
mcp_documents = Table(
    "mcp_documents",
    metadata,
    Column("url_hash", Digest, primary_key=True),
    Column("url", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("expires_at", Double, nullable=False, index=True),
)

# One client's leave to use one workspace. `client_id` is who was signed in to give it; empty for the operator.
mcp_grants = Table(
    "mcp_grants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", Id, nullable=False),
    Column("client_id", Id, ForeignKey("clients.id", ondelete="CASCADE")),
    Column("mcp_client_id", Text, nullable=False),
    Column("mcp_client_name", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("refresh_hash", Digest),
    Column("created_at", Double, nullable=False),
    Column("used_at", Double),
    Column("expires_at", Double, nullable=False, index=True),
    Column("revoked_at", Double),
    ForeignKeyConstraint(
        ["organization_id", "workspace_id"], ["workspaces.organization_id", "workspaces.id"], ondelete="CASCADE"
    ),
    UniqueConstraint("organization_id", "id"),
    Index(None, "organization_id", "workspace_id"),
    Index(None, "client_id"),
)

# A code that was used is kept as long as its grant, so that a second use is known for what it is.
mcp_codes = Table(
    "mcp_codes",
    metadata,
    Column("code_hash", Digest, primary_key=True),
    Column("organization_id", Id, nullable=False),
    Column("grant_id", Id, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", String(43), nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
    ForeignKeyConstraint(
        ["organization_id", "grant_id"], ["mcp_grants.organization_id", "mcp_grants.id"], ondelete="CASCADE"
    ),
    Index(None, "organization_id", "grant_id"),
)
