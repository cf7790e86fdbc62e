"""Workspaces have names of their own within an organization."""

from __future__ import annotations

import asyncio

import pytest

from plugbay.errors import ConflictError, InvalidParameterError, NotFoundError


async def test_a_workspace_is_made_once(stores):
    """Twenty who want a workspace of one name at once have the same one; another organization has its own."""
    made = await asyncio.gather(*(stores.workspaces.ensure(stores.organization.id, "default") for _ in range(20)))
    other = await stores.workspaces.ensure(stores.other.id, "default")
    assert (1, False) == (len({each.id for each in made}), other.id == made[0].id)
    assert made[0] == await stores.workspaces.by_name(stores.organization.id, "default")
    assert made[0] == await stores.workspaces.get(stores.organization.id, made[0].id)
    with pytest.raises(NotFoundError):
        await stores.workspaces.ensure("missing", "default")


async def test_a_list_is_cut_and_goes_on(stores):
    """Parts joined by their cursors are the whole list, the oldest first."""
    made = [await stores.workspaces.ensure(stores.organization.id, f"room {number}") for number in range(7)]
    await stores.workspaces.ensure(stores.other.id, "theirs")
    found, cursor = [], None
    while True:
        part = await stores.workspaces.list(stores.organization.id, limit=3, cursor=cursor)
        found.append(part.items)
        if (cursor := part.next) is None:
            break
    assert [made[:3], made[3:6], made[6:]] == found


async def test_a_list_is_filtered(stores):
    """A list can be of those with a text in their name, taken as it is, and of those of a status."""
    for name in ("Support 100%", "support_EU", "Sales"):
        await stores.workspaces.ensure(stores.organization.id, name)
    sales = await stores.workspaces.by_name(stores.organization.id, "Sales")
    await stores.workspaces.update(stores.organization.id, sales.id, status="inactive")

    async def names(**filters):
        return [each.name for each in (await stores.workspaces.list(stores.organization.id, **filters)).items]

    assert ["Support 100%", "support_EU"] == await names(name_contains="SUPPORT")
    assert [["Support 100%"], ["support_EU"]] == [await names(name_contains="%"), await names(name_contains="_")]
    assert ["Sales"] == await names(status="inactive")


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "bnVsbA", "WzEsMl0", "WyJhIiwiYiJd", "\ud800", "W05hTiwgImEiXQ"])
async def test_a_cursor_of_nobody_is_refused(stores, cursor):
    """A cursor that no list gave is an InvalidParameterError that names the field."""
    with pytest.raises(InvalidParameterError) as caught:
        await stores.workspaces.list(stores.organization.id, cursor=cursor)
    assert {"field": "cursor"} == caught.value.details


async def test_what_is_given_is_changed(stores):
    """An update changes what is given and leaves the rest."""
    made = await stores.workspaces.ensure(stores.organization.id, "default")
    changed = await stores.workspaces.update(stores.organization.id, made.id, name="main", cache_enabled=True)
    assert ("main", "active", True) == (changed.name, changed.status, changed.cache_enabled)
    assert changed == await stores.workspaces.get(stores.organization.id, made.id)


async def test_a_name_that_is_taken_is_a_conflict(stores):
    """Two workspaces of one organization cannot have one name; those of two organizations can."""
    await stores.workspaces.ensure(stores.organization.id, "taken")
    mine = await stores.workspaces.ensure(stores.organization.id, "mine")
    theirs = await stores.workspaces.ensure(stores.other.id, "theirs")
    with pytest.raises(ConflictError, match=r"^The organization has another workspace of that name\.$"):
        await stores.workspaces.update(stores.organization.id, mine.id, name="taken")
    assert "taken" == (await stores.workspaces.update(stores.other.id, theirs.id, name="taken")).name


async def test_a_deleted_workspace_is_gone(stores):
    """A workspace is deleted once, and cannot be changed then."""
    made = await stores.workspaces.ensure(stores.organization.id, "default")
    assert [True, False] == [await stores.workspaces.delete(stores.organization.id, made.id) for _ in range(2)]
    with pytest.raises(NotFoundError):
        await stores.workspaces.update(stores.organization.id, made.id, name="x")
