"""The tables of the authorization server for clients of the Model Context Protocol."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


SECONDS: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Makes the tables; their names and constraints are written out, as later ones must not change them."""
    op.create_table(
        "mcp_clients",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("used_at", SECONDS, nullable=True),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mcp_clients"),
    )
    op.create_index("ix_mcp_clients_expires_at", "mcp_clients", ["expires_at"], unique=False)
    op.create_index("ix_mcp_clients_used_at_created_at", "mcp_clients", ["used_at", "created_at"], unique=False)
    op.create_table(
        "mcp_documents",
        sa.Column("url_hash", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("url_hash", name="pk_mcp_documents"),
    )
    op.create_index("ix_mcp_documents_expires_at", "mcp_documents", ["expires_at"], unique=False)
    op.create_table(
        "mcp_grants",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=True),
        sa.Column("mcp_client_id", sa.Text(), nullable=False),
        sa.Column("mcp_client_name", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("refresh_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("used_at", SECONDS, nullable=True),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.Column("revoked_at", SECONDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_mcp_grants_client_id_clients", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "workspace_id"],
            ["workspaces.organization_id", "workspaces.id"],
            name="fk_mcp_grants_organization_id_workspace_id_workspaces",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_mcp_grants_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mcp_grants"),
        sa.UniqueConstraint("organization_id", "id", name="uq_mcp_grants_organization_id_id"),
    )
    op.create_index("ix_mcp_grants_client_id", "mcp_grants", ["client_id"], unique=False)
    op.create_index("ix_mcp_grants_expires_at", "mcp_grants", ["expires_at"], unique=False)
    op.create_index(
        "ix_mcp_grants_organization_id_workspace_id", "mcp_grants", ["organization_id", "workspace_id"], unique=False
    )
    op.create_table(
        "mcp_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("grant_id", sa.String(length=36), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.String(length=43), nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.Column("used_at", SECONDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "grant_id"],
            ["mcp_grants.organization_id", "mcp_grants.id"],
            name="fk_mcp_codes_organization_id_grant_id_mcp_grants",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_hash", name="pk_mcp_codes"),
    )
    op.create_index("ix_mcp_codes_organization_id_grant_id", "mcp_codes", ["organization_id", "grant_id"], unique=False)


def downgrade() -> None:
    """Drops them."""
    op.drop_table("mcp_codes")
    op.drop_table("mcp_grants")
    op.drop_table("mcp_documents")
    op.drop_table("mcp_clients")
