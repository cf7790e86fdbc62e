"""The search language: a lexer and a parser from text to terms.

A query is words, "quoted phrases" and `field:value` terms, each of which a leading `-` turns around. `type:`,
`order_by:` and `sort:` say what to look for and how to sort; they are not terms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OPERATORS = (">=", "<=", ":", ">", "<")
TYPES = ("ticket", "user", "organization", "group")
FIELDS = frozenset((
    "assignee", "brand", "cc", "comment", "commenter", "created", "description", "details", "due_date", "email",
    "external_id", "fieldvalue", "form", "group", "has_attachment", "name", "notes", "organization", "phone",
    "priority", "requester", "role", "satisfaction", "solved", "status", "subject", "submitter", "tags",
    "ticket_id", "ticket_type", "updated", "via",
))  # fmt: skip
_CONTROL = frozenset(("type", "order_by", "sort"))
_ALIASES = {"organisation": "organization", "tag": "tags", "created_at": "created", "updated_at": "updated"}
_HEAD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(>=|<=|:|>|<)")
_CUSTOM = re.compile(r"custom_field_[0-9]{1,19}")


@dataclass(frozen=True)
class Term:
    """One condition; `field` is None for free text, and `phrase` is whether the value was quoted."""

    field: str | None
    operator: str
    value: str
    negated: bool = False
    phrase: bool = False


@dataclass(frozen=True)
class Query:
    """A parsed query; no `types` means every type."""

    terms: tuple[Term, ...] = ()
    types: frozenset[str] = frozenset()
    order_by: str | None = None
    descending: bool | None = None


def parse(text: str) -> Query:
    """Read a query; there is no text that is not one."""
    terms: list[Term] = []
    types: set[str] = set()
    order_by, descending = None, None
    for term in lex(text):
        if term.field == "type" and not term.negated:
            types |= set(term.value.casefold().split(","))
        elif term.field == "order_by":
            order_by = term.value.casefold()
        elif term.field == "sort":
            descending = term.value.casefold() != "asc"
        else:
            terms.append(term)
    return Query(tuple(terms), frozenset(types), order_by, descending)


def lex(text: str) -> list[Term]:
    """Split a query into terms, the controlling ones among them."""
    terms: list[Term] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        term, position = _term(text, position)
        if term is not None:
            terms.append(term)
    return terms


def _term(text: str, position: int) -> tuple[Term | None, int]:
    negated = text[position] == "-"
    start = position + negated
    head = _HEAD.match(text, start)
    field = _field(head.group(1)) if head else None
    if head and field:
        value, phrase, position = _value(text, head.end())
        return Term(field, head.group(2), value, negated, phrase), position
    value, phrase, position = _value(text, start)
    return (Term(None, ":", value, negated, phrase) if value else None), position


def _field(name: str) -> str | None:
    """The field a name stands for; other names are plain text, colon and all."""
    lowered = name.casefold()
    lowered = _ALIASES.get(lowered, lowered)
    return lowered if lowered in FIELDS or lowered in _CONTROL or _CUSTOM.fullmatch(lowered) else None


def _value(text: str, start: int) -> tuple[str, bool, int]:
    """A quoted or bare value, whether it was quoted, and where it ends; an open quote runs to the end."""
    if text[start : start + 1] == '"':
        end = text.find('"', start + 1)
        stop = len(text) if end < 0 else end
        return text[start + 1 : stop], True, stop + 1
    end = start
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end], False, end
