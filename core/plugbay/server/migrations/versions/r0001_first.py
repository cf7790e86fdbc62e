"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SECONDS: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Makes the tables; their names and constraints are written out, as later ones must not change them."""
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", SECONDS, nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=True),
        sa.Column("connector_id", sa.String(length=36), nullable=True),
        sa.Column("client_id", sa.String(length=36), nullable=True),
        sa.Column("via", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("effect", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("fate", sa.String(length=64), nullable=True),
        sa.Column("intent", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("duration_ms", SECONDS, nullable=True),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_index("ix_audit_organization_id_at_id", "audit", ["organization_id", "at", "id"], unique=False)
    op.create_index(
        "ix_audit_organization_id_connector_id_at", "audit", ["organization_id", "connector_id", "at"], unique=False
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("redirect_urls", sa.JSON(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "rates",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "minute", name="pk_rates"),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("revoked_at", SECONDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_clients_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
    )
    op.create_index("ix_clients_organization_id", "clients", ["organization_id"], unique=False)
    op.create_table(
        "flows",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_flows_organization_id_organizations", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state_hash", name="pk_flows"),
        sa.UniqueConstraint("organization_id", "state_hash", name="uq_flows_organization_id_state_hash"),
    )
    op.create_index("ix_flows_expires_at", "flows", ["expires_at"], unique=False)
    op.create_table(
        "oauth_apps",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("connector_type", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_oauth_apps_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_apps"),
        sa.UniqueConstraint("organization_id", "connector_type", name="uq_oauth_apps_organization_id_connector_type"),
        sa.UniqueConstraint("organization_id", "id", name="uq_oauth_apps_organization_id_id"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("cache_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_workspaces_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("organization_id", "id", name="uq_workspaces_organization_id_id"),
        sa.UniqueConstraint("organization_id", "name", name="uq_workspaces_organization_id_name"),
    )
    op.create_index(
        "ix_workspaces_organization_id_created_at_id",
        "workspaces",
        ["organization_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "connectors",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("connector_type", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subdomain", sa.Text(), nullable=False),
        sa.Column("replication_config", sa.JSON(), nullable=False),
        sa.Column("environment", sa.JSON(), nullable=False),
        sa.Column("entities", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("auth_kind", sa.String(length=64), nullable=False),
        sa.Column("oauth_app_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("checked_at", SECONDS, nullable=True),
        sa.Column("check_status", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "workspace_id"],
            ["workspaces.organization_id", "workspaces.id"],
            name="fk_connectors_organization_id_workspace_id_workspaces",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_connectors_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connectors"),
        sa.UniqueConstraint("organization_id", "id", name="uq_connectors_organization_id_id"),
    )
    op.create_index(
        "ix_connectors_organization_id_created_at_id",
        "connectors",
        ["organization_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_connectors_organization_id_workspace_id", "connectors", ["organization_id", "workspace_id"], unique=False
    )
    op.create_table(
        "memberships",
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_memberships_client_id_clients", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_memberships_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "organization_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_organization_id", "memberships", ["organization_id"], unique=False)
    op.create_table(
        "bearers",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=True),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=True),
        sa.Column("audience", sa.Text(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "organization_id"],
            ["memberships.client_id", "memberships.organization_id"],
            name="fk_bearers_client_id_organization_id_memberships",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "workspace_id"],
            ["workspaces.organization_id", "workspaces.id"],
            name="fk_bearers_organization_id_workspace_id_workspaces",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_bearers_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_bearers"),
    )
    op.create_index("ix_bearers_client_id_organization_id", "bearers", ["client_id", "organization_id"], unique=False)
    op.create_index("ix_bearers_expires_at", "bearers", ["expires_at"], unique=False)
    op.create_index(
        "ix_bearers_organization_id_workspace_id", "bearers", ["organization_id", "workspace_id"], unique=False
    )
    op.create_table(
        "secrets",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.String(length=96), nullable=False),
        sa.Column("connector_id", sa.String(length=36), nullable=True),
        sa.Column("oauth_app_id", sa.String(length=36), nullable=True),
        sa.Column("flow_hash", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "connector_id"],
            ["connectors.organization_id", "connectors.id"],
            name="fk_secrets_organization_id_connector_id_connectors",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "flow_hash"],
            ["flows.organization_id", "flows.state_hash"],
            name="fk_secrets_organization_id_flow_hash_flows",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "oauth_app_id"],
            ["oauth_apps.organization_id", "oauth_apps.id"],
            name="fk_secrets_organization_id_oauth_app_id_oauth_apps",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "subject", name="pk_secrets"),
    )
    op.create_index("ix_secrets_key_id", "secrets", ["key_id"], unique=False)
    op.create_index(
        "ix_secrets_organization_id_connector_id", "secrets", ["organization_id", "connector_id"], unique=False
    )
    op.create_index("ix_secrets_organization_id_flow_hash", "secrets", ["organization_id", "flow_hash"], unique=False)
    op.create_index(
        "ix_secrets_organization_id_oauth_app_id", "secrets", ["organization_id", "oauth_app_id"], unique=False
    )


def downgrade() -> None:
    """Drops them."""
    op.drop_table("secrets")
    op.drop_table("bearers")
    op.drop_table("memberships")
    op.drop_table("connectors")
    op.drop_table("workspaces")
    op.drop_table("oauth_apps")
    op.drop_table("flows")
    op.drop_table("clients")
    op.drop_table("rates")
    op.drop_table("organizations")
    op.drop_table("leases")
    op.drop_table("audit")
