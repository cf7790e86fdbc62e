"""The organization's policy: what may be done with its connectors, by anybody."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from plugbay.errors import ConfigurationError
from plugbay.server.auditing import tell_audit
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.failures import invalid
from plugbay.server.policies import check_policy
from plugbay.server.state import Server

__all__ = ["ENDPOINTS", "PolicyDocument", "set_policy", "told_policy"]

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
    await set_policy(call.server, call.caller.organization_id, call.body)
    await tell_audit(call.server, call.caller, "policy.set", content=told_policy(call.body))
    return call.body


def told_policy(document: PolicyDocument) -> dict[str, Any]:
    """A policy as the audit log has it: what it does not say is not restricted."""
    return {"policy": document.model_dump(exclude_defaults=True)}


async def set_policy(server: Server, organization_id: str, document: PolicyDocument) -> None:
    """Keeps an organization's policy.

    Raises:
        ApiError: 422, a pattern is none, or fits no action that there is.
    """
    policy: dict[str, Any] = document.model_dump(exclude_defaults=True)
    try:
        check_policy(policy)
    except ConfigurationError as error:
        raise invalid((error.details or {}).get("field", "allow"), str(error)) from None
    await server.organizations.set_policy(organization_id, policy)


ENDPOINTS = [get_policy, put_policy]
