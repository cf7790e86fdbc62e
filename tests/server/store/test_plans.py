"""Queries that every request may ask go by an index, however much there is of other rows."""

from __future__ import annotations

import time

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from plugbay.server.store import Flow


@pytest.fixture
def plan(stores):
    """Tells how SQLite goes about the statements of some work; PostgreSQL chooses by what the tables hold."""
    if stores.database.dialect != "sqlite":
        pytest.skip("what PostgreSQL does depends on what the tables hold")

    async def planned(work):
        asked = []
        engine = stores.database._engine.sync_engine
        listener = lambda *given: asked.append(given[2:4])  # noqa: E731 - it is taken away again
        event.listen(engine, "before_cursor_execute", listener)
        await work
        event.remove(engine, "before_cursor_execute", listener)
        steps = []
        async with stores.database.read() as connection:
            for statement, values in asked:
                found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                steps += [row.detail for row in found]
        return steps

    return planned


@pytest.mark.parametrize("name", ["connector_id", "workspace_id"])
@pytest.mark.parametrize("more", [{}, {"since": 1.0, "until": 2.0}])
async def test_a_part_of_the_audit_log_is_found_in_its_order(stores, plan, name, more):
    """The entries of one connector or workspace are found by an index in their order: nothing is gone through or sorted."""
    (step,) = await plan(stores.audit.query(stores.organization.id, **{name: "x"}, **more))
    assert f"USING INDEX ix_audit_organization_id_{name}_at_id" in step


async def test_a_flow_and_its_verifier_are_found(stores, plan):
    """A flow and its verifier are each found by an index."""
    facts = {"workspace_id": "w", "connector_type": "t", "subdomain": "s", "redirect_url": "r", "name": "n"}
    flow = Flow(organization_id=stores.organization.id, **facts, verifier=SecretStr("v"), expires_at=time.time() + 60)
    state = await stores.flows.begin(flow)
    assert [] == [step for step in await plan(stores.flows.peek(state)) if not step.startswith("SEARCH")]


@pytest.mark.parametrize("work", ["bearers.find", "connectors.get", "secrets.get", "workspaces.by_name"])
async def test_what_every_call_asks_is_found(stores, plan, work):
    """What every call asks goes through no table."""
    repository, _, method = work.partition(".")
    given = ("pb_app_x",) if method == "find" else (stores.organization.id, "x")
    steps = await plan(getattr(getattr(stores, repository), method)(*given))
    assert (True, []) == (bool(steps), [step for step in steps if not step.startswith("SEARCH")])
