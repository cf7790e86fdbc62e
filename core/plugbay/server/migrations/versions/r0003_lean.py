"""Connectors lose the columns that nobody reads; the audit log is found by connector and by workspace in its order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drops the columns, and makes indexes that end as the log is ordered: without, the whole log may be gone through."""
    op.drop_column("connectors", "environment")
    op.drop_column("connectors", "oauth_app_id")
    op.drop_index("ix_audit_organization_id_connector_id_at", "audit")
    for name in ("connector_id", "workspace_id"):
        op.create_index(
            f"ix_audit_organization_id_{name}_at_id", "audit", ["organization_id", name, "at", "id"], unique=False
        )


def downgrade() -> None:
    """Makes the columns again, empty, and the index as it was."""
    for name in ("connector_id", "workspace_id"):
        op.drop_index(f"ix_audit_organization_id_{name}_at_id", "audit")
    op.create_index(
        "ix_audit_organization_id_connector_id_at", "audit", ["organization_id", "connector_id", "at"], unique=False
    )
    op.add_column("connectors", sa.Column("oauth_app_id", sa.String(length=36), nullable=True))
    op.add_column("connectors", sa.Column("environment", sa.JSON(), nullable=False, server_default="{}"))
