"""Connectors lose columns that nobody reads; the audit log says what a note concerns, and is found in its order.

And from here on the tables say which versions can work with them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORKS_SINCE = "0003"
"""The oldest revision whose code can work with these tables: earlier code writes a column that is gone."""


def upgrade() -> None:
    """Indexes end as the log is ordered: without, the whole log may be gone through."""
    op.drop_column("connectors", "environment")
    op.drop_column("connectors", "oauth_app_id")
    op.add_column("audit", sa.Column("subject", sa.Text(), nullable=True))
    op.create_table(
        "works_since",
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_works_since"),
    )
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
    op.drop_table("works_since")
    op.drop_column("audit", "subject")
    op.add_column("connectors", sa.Column("oauth_app_id", sa.String(length=36), nullable=True))
    op.add_column("connectors", sa.Column("environment", sa.JSON(), nullable=False, server_default="{}"))
