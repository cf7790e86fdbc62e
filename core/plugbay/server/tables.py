"""The tables. An organization's rows point to each other by (organization_id, id): a row of another cannot be meant.

Times are seconds since the epoch. Secrets are sealed, tokens and states are digests: what is in a backup opens
nothing without the keys.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "audit",
    "bearers",
    "clients",
    "connectors",
    "flows",
    "leases",
    "memberships",
    "metadata",
    "oauth_apps",
    "organizations",
    "rates",
    "secrets",
    "works_since",
    "workspaces",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(36)
Digest = String(64)
Word = String(64)
Seconds: Double[float] = Double()

organizations = Table(
    "organizations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("policy", JSON, nullable=False),
    Column("redirect_urls", JSON, nullable=False),
    Column("created_at", Seconds, nullable=False),
)

clients = Table(
    "clients",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", Digest, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("revoked_at", Double),
)

memberships = Table(
    "memberships",
    metadata,
    Column("client_id", Id, ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    Column("created_at", Seconds, nullable=False),
    Index(None, "organization_id"),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Word, nullable=False),
    Column("cache_enabled", Boolean, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    UniqueConstraint("organization_id", "name"),
    UniqueConstraint("organization_id", "id"),
    Index(None, "organization_id", "created_at", "id"),
)

bearers = Table(
    "bearers",
    metadata,
    Column("token_hash", Digest, primary_key=True),
    Column("kind", Word, nullable=False),
    Column("client_id", Id),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", Id),
    Column("audience", Text),
    Column("detail", JSON, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("expires_at", Seconds, nullable=False, index=True),
    ForeignKeyConstraint(
        ["organization_id", "workspace_id"], ["workspaces.organization_id", "workspaces.id"], ondelete="CASCADE"
    ),
    # A token ends with its client's access to the organization.
    ForeignKeyConstraint(
        ["client_id", "organization_id"], ["memberships.client_id", "memberships.organization_id"], ondelete="CASCADE"
    ),
    Index(None, "client_id", "organization_id"),
    Index(None, "organization_id", "workspace_id"),
)

connectors = Table(
    "connectors",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", Id, nullable=False),
    Column("connector_type", Word, nullable=False),
    Column("name", Text, nullable=False),
    Column("subdomain", Text, nullable=False),
    Column("replication_config", JSON, nullable=False),
    Column("entities", JSON(none_as_null=True)),
    Column("auth_kind", Word, nullable=False),
    Column("status", Word, nullable=False),
    Column("status_reason", Text),
    Column("checked_at", Double),
    Column("check_status", Word),
    Column("version", Integer, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    ForeignKeyConstraint(
        ["organization_id", "workspace_id"], ["workspaces.organization_id", "workspaces.id"], ondelete="CASCADE"
    ),
    UniqueConstraint("organization_id", "id"),
    Index(None, "organization_id", "workspace_id"),
    Index(None, "organization_id", "created_at", "id"),
)

oauth_apps = Table(
    "oauth_apps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("connector_type", Word, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    UniqueConstraint("organization_id", "connector_type"),
    UniqueConstraint("organization_id", "id"),
)

flows = Table(
    "flows",
    metadata,
    Column("state_hash", Digest, primary_key=True),
    Column("organization_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("stage", Word, nullable=False),
    Column("browser", Digest),
    Column("facts", JSON, nullable=False),
    Column("expires_at", Seconds, nullable=False, index=True),
    UniqueConstraint("organization_id", "state_hash"),
)

# No secret outlives what it belongs to, and none can be put for what is no longer there.
secrets = Table(
    "secrets",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("subject", String(96), primary_key=True),
    Column("connector_id", Id),
    Column("oauth_app_id", Id),
    Column("flow_hash", Digest),
    Column("version", Integer, nullable=False),
    Column("key_id", Word, nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    ForeignKeyConstraint(
        ["organization_id", "connector_id"], ["connectors.organization_id", "connectors.id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["organization_id", "oauth_app_id"], ["oauth_apps.organization_id", "oauth_apps.id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["organization_id", "flow_hash"], ["flows.organization_id", "flows.state_hash"], ondelete="CASCADE"
    ),
    Index(None, "organization_id", "connector_id"),
    Index(None, "organization_id", "oauth_app_id"),
    Index(None, "organization_id", "flow_hash"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("holder", Id, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("expires_at", Seconds, nullable=False),
)

# No foreign keys: what was done stays known when its connector is gone.
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Seconds, nullable=False, index=True),
    Column("organization_id", Id, nullable=False),
    Column("workspace_id", Id),
    Column("connector_id", Id),
    Column("client_id", Id),
    Column("via", Word, nullable=False),
    Column("event", Word, nullable=False),
    Column("subject", Text),
    Column("entity", Text),
    Column("action", Text),
    Column("effect", Word),
    Column("outcome", Word, nullable=False),
    Column("fate", Word),
    Column("intent", Text),
    Column("request_id", Text),
    Column("duration_ms", Double),
    Column("content", JSON(none_as_null=True)),
    Index(None, "organization_id", "at", "id"),
    Index(None, "organization_id", "connector_id", "at", "id"),
    Index(None, "organization_id", "workspace_id", "at", "id"),
)

# The oldest revision whose code can work with the tables, in one row; see `plugbay.server.migrations`.
works_since = Table("works_since", metadata, Column("revision", String(32), primary_key=True))

rates = Table(
    "rates",
    metadata,
    Column("client_id", Digest, primary_key=True),
    Column("minute", Integer, primary_key=True),
    Column("taken", Integer, nullable=False),
)
