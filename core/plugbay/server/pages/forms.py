"""What a person typed into a form, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["LONGEST", "Form", "read_form"]

LONGEST = 2_000
"""The longest value of a field, in characters, unless told otherwise."""

MAX_FIELDS = 100


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, without what surrounds their values; files are left out."""
    fields = await request.form(max_files=0, max_fields=MAX_FIELDS)
    return {name: value.strip() for name, value in fields.items() if isinstance(value, str)}


class Form:
    """A form's values and its errors.

    Args:
        values: By field.
        secrets: Fields whose values no page ever shows again.

    Attributes:
        errors: What is wrong, by field; the empty name is for what concerns no field in particular.
    """

    def __init__(self, values: Mapping[str, str] | None = None, *, secrets: Iterable[str] = ()) -> None:
        # PostgreSQL keeps no NUL, and no field of ours has a use for one.
        self._values = {name: value.replace("\0", "") for name, value in (values or {}).items()}
        self._secrets = frozenset(secrets)
        self.errors: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Form with {len(self._values)} fields>"

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, each said once, with the first field that it concerns."""
        found: dict[str, str] = {}
        for name, message in self.errors.items():
            found.setdefault(message, name)
        return list(found.items())

    def shown(self, name: str) -> str:
        """A field's value as the page shows it again."""
        return "" if name in self._secrets else self._values.get(name, "")

    def text(self, name: str, label: str, *, required: bool = True, longest: int = LONGEST) -> str:
        """A field's value, noting an error if it is missing or too long.

        Args:
            name: The field.
            label: What the page calls it.
            required: Whether it must be filled in.
            longest: Characters at most.
        """
        value = self._values.get(name, "")
        if required and not value:
            self.refuse(name, f"{label}: fill this in.")
        elif len(value) > longest:
            self.refuse(name, f"{label}: at most {longest:,} characters; this has {len(value):,}.")
        return value

    def choice(self, name: str, label: str, allowed: Iterable[str]) -> str:
        """A field's value, noting an error if it is none of the values that the page offers."""
        value = self._values.get(name, "")
        if value not in set(allowed):
            self.refuse(name, f"{label}: choose one.")
        return value

    def lines(self, name: str) -> list[str]:
        """The lines of a field that are not empty."""
        return [line.strip() for line in self._values.get(name, "").splitlines() if line.strip()]

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self._values.get(name))

    def refuse(self, name: str, message: str) -> None:
        """Notes an error of a field; its first one stays."""
        self.errors.setdefault(name, message)

    def over(self, stored: Mapping[str, str]) -> Form:
        """The form with values for the fields that were not sent."""
        form = Form({**stored, **self._values}, secrets=self._secrets)
        form.errors = self.errors
        return form
