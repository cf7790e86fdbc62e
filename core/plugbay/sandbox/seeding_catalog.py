"""The settings of an account: groups, brand, ticket fields, form and statuses."""

from __future__ import annotations

from typing import Any

from plugbay.sandbox import words
from plugbay.sandbox.account import Account, Record

_LONG_AGO = "2021-03-01T09:00:00Z"
_SYSTEM_FIELDS = (
    ("subject", "Subject"),
    ("description", "Description"),
    ("status", "Status"),
    ("tickettype", "Type"),
    ("priority", "Priority"),
    ("group", "Group"),
    ("assignee", "Assignee"),
    ("custom_status", "Ticket status"),
)
_CUSTOM_FIELDS = (
    ("text", "Order number"),
    ("tagger", "Product area"),
    ("decimal", "Refund amount"),
    ("checkbox", "Escalated"),
    ("date", "Promised date"),
)
AREAS = (
    ("Delivery", "area_delivery"),
    ("Returns", "area_returns"),
    ("Products", "area_products"),
    ("Billing", "area_billing"),
    ("Account", "area_account"),
    ("App and website", "area_app"),
    ("Wholesale", "area_wholesale"),
)
_SYSTEM_OPTIONS = {
    "status": ("New", "Open", "Pending", "Hold", "Solved", "Closed"),
    "tickettype": ("Question", "Incident", "Problem", "Task"),
    "priority": ("Low", "Normal", "High", "Urgent"),
}
_STATUSES = (
    ("new", "New", True),
    ("open", "Open", True),
    ("pending", "Pending", True),
    ("hold", "On-hold", True),
    ("solved", "Solved", True),
    ("hold", "Waiting for warehouse", False),
)


def fill(account: Account) -> None:
    """Give an empty account its settings."""
    for index, (name, description) in enumerate(words.GROUPS):
        group = _dated(account, name=name, description=description, default=index == 0, deleted=False, is_public=True)
        account.groups[group["id"]] = group
    for category, label, default in _STATUSES:
        status = _custom_status(account, category, label, default)
        account.custom_statuses[status["id"]] = status
    for position, (kind, title) in enumerate((*_SYSTEM_FIELDS, *_CUSTOM_FIELDS)):
        field = _ticket_field(account, kind, title, position, removable=position >= len(_SYSTEM_FIELDS))
        account.ticket_fields[field["id"]] = field
    form = _ticket_form(account)
    account.ticket_forms[form["id"]] = form
    brand = _brand(account)
    account.brands[brand["id"]] = brand


def _dated(account: Account, **fields: Any) -> Record:
    return {"id": account.next_id(), **fields, "created_at": _LONG_AGO, "updated_at": _LONG_AGO}


def _custom_status(account: Account, category: str, label: str, default: bool) -> Record:
    return _dated(
        account,
        status_category=category,
        agent_label=label,
        raw_agent_label=label,
        end_user_label=label,
        raw_end_user_label=label,
        description=f"Tickets that are {label.lower()}",
        raw_description=f"Tickets that are {label.lower()}",
        end_user_description="",
        raw_end_user_description="",
        active=True,
        default=default,
    )


def _ticket_field(account: Account, kind: str, title: str, position: int, removable: bool) -> Record:
    field = _dated(
        account,
        type=kind,
        title=title,
        raw_title=title,
        description="",
        raw_description="",
        position=position,
        active=True,
        required=False,
        collapsed_for_agents=False,
        regexp_for_validation=None,
        title_in_portal=title,
        raw_title_in_portal=title,
        visible_in_portal=True,
        editable_in_portal=True,
        required_in_portal=kind in ("subject", "description"),
        agent_can_edit=True,
        tag="escalated" if kind == "checkbox" else None,
        removable=removable,
        key=None,
        agent_description=None,
    )
    if kind in _SYSTEM_OPTIONS:
        field["system_field_options"] = [{"name": name, "value": name.lower()} for name in _SYSTEM_OPTIONS[kind]]
    if kind == "tagger":
        field["custom_field_options"] = [
            {"id": account.next_id(), "name": name, "raw_name": name, "value": value, "default": False}
            for name, value in AREAS
        ]
    return field


def _ticket_form(account: Account) -> Record:
    return _dated(
        account,
        name="Default ticket form",
        raw_name="Default ticket form",
        display_name="Contact us",
        raw_display_name="Contact us",
        end_user_visible=True,
        position=0,
        ticket_field_ids=list(account.ticket_fields),
        active=True,
        default=True,
        in_all_brands=True,
        restricted_brand_ids=[],
        end_user_conditions=[],
        agent_conditions=[],
    )


def _brand(account: Account) -> Record:
    return _dated(
        account,
        name=words.COMPANY,
        brand_url=f"https://{account.subdomain}.zendesk.example",
        subdomain=account.subdomain,
        host_mapping=None,
        has_help_center=False,
        help_center_state="disabled",
        active=True,
        default=True,
        is_deleted=False,
        logo=None,
        ticket_form_ids=list(account.ticket_forms),
        signature_template="{{agent.signature}}",
    )
