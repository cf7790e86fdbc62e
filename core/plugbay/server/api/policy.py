"""The organization's policy: what may be done with its connectors, by anybody."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from plugbay.errors import ConfigurationError
from plugbay.server.auditing import tell_audit
from plugbay.server.caller import Caller
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.failures import invalid
from plugbay.server.policies import check_policy
from plugbay.server.state import Server

__all__ = ["ENDPOINTS", "PolicyDocument", "set_policy"]

_PATH = "/api/v1/policy"
_TAG = "Policy"

_Patterns = list[str]


class PolicyDocument(BaseModel):
    """A policy; see `plugbay.Policy`."""

    read_only: bool | None = Field(default=None, description="true lets only actions run that change nothing.")
    allow: _Patterns = Field(default=[], max_length=200, description="Patterns as tickets.*; all actions if empty.")
    deny: _Patterns = Field(default=[], max_length=200, description="Patterns that may not run, whatever allow says.")
    confirm: _Patterns = Field(default=[], max_length=200, description="Patterns that a person must agree to.")
    dry_run: bool = Field(default=False, description="Check and build writes, but send none.")


@endpoint("GET", _PATH, summary="Read the policy", answer=PolicyDocument, tag=_TAG)
async def get_policy(call: Call) -> PolicyDocument:
    """Tells the organization's policy."""
    organization = await call.server.organizations.get(call.caller.organization_id)
    return PolicyDocument(**(organization.policy if organization else {}))


@endpoint("PUT", _PATH, summary="Set the policy", body=PolicyDocument, answer=PolicyDocument, auth="admin", tag=_TAG)
async def put_policy(call: Call[PolicyDocument]) -> PolicyDocument:
    """Sets the organization's policy, which holds for every call from then on.

    Only the operator may: a program must not widen what it may do itself.
    """
    await set_policy(call.server, call.caller, call.body)
    return call.body


async def set_policy(server: Server, caller: Caller, document: PolicyDocument) -> None:
    """Keeps the policy of a caller's organization, with its note in the audit log or not at all.

    Raises:
        ApiError: 422, a pattern is none, or fits no action that there is.
    """
    policy: dict[str, Any] = document.model_dump(exclude_defaults=True)
    try:
        check_policy(policy)
    except ConfigurationError as error:
        raise invalid((error.details or {}).get("field", "allow"), str(error)) from None
    async with server.database.begin() as connection:
        await server.organizations.set_policy(caller.organization_id, policy, connection=connection)
        await tell_audit(server, caller, "policy.set", content={"policy": policy}, connection=connection)


ENDPOINTS = [get_policy, put_policy]
