"""The texts of strangers without what nobody sees in them: for models, log lines and errors.

Anybody can write a ticket. Characters that no page shows may tell a model what the person beside it cannot read,
show a text in another order than it has, or forge a line of a log. Therefore:

- Control characters (C0, DEL, C1) are removed, so that what began a terminal's escape sequence is harmless text.
  Tabs and line feeds stay. All other ends of lines become line feeds: CR, VT, FF, NEL, U+2028 and U+2029
  (Unicode Standard, section 5.8).
- Embeddings, overrides and isolates of writing direction are removed, and the text keeps the order in which it is
  stored (Unicode TR #36, section 2.6). The marks LRM, RLM and ALM stay: mixed writing needs them.
- Tag characters are removed. They repeat ASCII invisibly; language tags are deprecated (Unicode Standard,
  section 23.9), and of emoji only the flags of parts of countries become plain ones.
- What else is ignored when a text is shown (`Default_Ignorable_Code_Point` of the Unicode Character Database:
  zero-width spaces, word joiners, invisible operators, soft hyphens, fillers, supplementary variation selectors)
  is removed, and so are interlinear annotations, which are not meant for interchange (section 23.8). TR #39
  allows none of these in identifiers either.
- Joiners (ZWJ, ZWNJ), which emoji and several scripts need, those marks, and variation selectors stay as far as
  writing has them in a row: three, one of them a selector. A longer row spells something, and is removed whole.
- Half of a surrogate pair, and a code point that is no character, become U+FFFD: there something is broken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeGuard

__all__ = ["Cleaning", "each_text", "one_line", "plain"]

LONGEST_RUN = 3
"""Invisible characters that writing has in a row, as the selector and the joiner within an emoji."""

MAX_LEVELS = 16
"""Levels of nesting that `each_text` copies; errors have two or three."""

CUT = "…"
REPLACEMENT = "\ufffd"

_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_LINE_ENDS = "\r\x0b\x0c\x85\u2028\u2029"
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SELECTORS = frozenset(map(chr, (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10))))
_MAY_STAY = _SELECTORS | frozenset("\u061c\u200c\u200d\u200e\u200f")
_NO_CHARACTERS = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)

_LINE_END = f"\r\n|[{_LINE_ENDS}]"
_NO_CHARACTER = f"[{_NO_CHARACTERS}]"
_RUN = f"[{_CONTROLS}{_INVISIBLE}{''.join(sorted(_MAY_STAY))}]+"
_BREAK = r"[\n\t][ \n\t]*"

_odd_in_ascii = re.compile("[\x00-\x08\x0b-\x1f\x7f]").search


@cache
def _odd() -> Callable[[str], object]:
    """Finds what is to be looked at; dear to make, and so made on first use."""
    # One class of characters alone is what the engine finds fast.
    return re.compile(f"[{_LINE_ENDS}{_NO_CHARACTERS}{_RUN[1:-2]}]").search


def plain(text: str) -> str:
    """`text` without hidden and control characters."""
    return text if _is_plain(text) else _stripped(text, _nothing)[0]


def one_line(text: str) -> str:
    """`text` without hidden and control characters, on one line."""
    return re.sub(_BREAK, " ", plain(text))


def each_text(value: Any, change: Callable[[str], str], levels: int = MAX_LEVELS) -> Any:
    """A copy of `value` in which `change` was done to all texts, keys among them.

    Args:
        value: Objects and lists are copied; what is neither nor a text stays.
        change: Gives the new text.
        levels: The levels of nesting that are kept.
    """
    if isinstance(value, str):
        return change(value)
    if not (_is_object(value) or _is_list(value)):
        return value
    if levels <= 0:
        return CUT
    if _is_object(value):
        return {each_text(key, change, 0): each_text(item, change, levels - 1) for key, item in value.items()}
    return [each_text(item, change, levels - 1) for item in value]


class Cleaning:
    """Makes the texts of JSON values plain, and counts those in which something was hidden.

    Attributes:
        count: Texts, keys among them, from which something was removed; other ends of lines are not counted.
    """

    __slots__ = ("_plain_keys", "count")

    def __init__(self) -> None:
        self.count = 0
        self._plain_keys: set[str] = set()

    def json(self, value: Any) -> Any:
        """`value` with plain texts and keys; objects and lists are changed where they are."""
        holder = [value]
        self._list(holder)
        return holder[0]

    def text(self, text: str) -> str:
        """`text`, plain."""
        return text if _is_plain(text) else self._counted(*_stripped(text, _nothing))

    def file_part(self, text: str) -> str:
        """`text` with spaces for what is hidden, a space for each of its bytes in UTF-8.

        Readers of a file count its bytes to know where its next part begins.
        """
        return text if _is_plain(text) else self._counted(*_stripped(text, _spaces))

    def _counted(self, made: str, removed: bool) -> str:
        self.count += removed
        return made

    def _object(self, value: dict[str, Any]) -> None:
        odd = False
        known = self._plain_keys
        for key, item in value.items():
            if key not in known:
                if _is_plain(key):
                    known.add(key)
                else:
                    odd = True
            kind = type(item)  # pyright: ignore[reportUnknownVariableType] - JSON
            if kind is str:
                # Most texts are short words; these two tests alone cost less than a call.
                if not (item.isascii() and item.isprintable()):
                    value[key] = self.text(item)
            elif kind is dict:
                self._object(item)
            elif kind is list:
                self._list(item)
        if odd:
            self._rename(value)

    def _list(self, value: list[Any]) -> None:
        for index, item in enumerate(value):
            kind = type(item)  # pyright: ignore[reportUnknownVariableType] - JSON
            if kind is str:
                if not (item.isascii() and item.isprintable()):
                    value[index] = self.text(item)
            elif kind is dict:
                self._object(item)
            elif kind is list:
                self._list(item)

    def _rename(self, value: dict[str, Any]) -> None:
        """Gives the object plain keys; one that would take another's place is told apart by underscores."""
        before = dict(value)
        value.clear()
        for key, item in before.items():
            name = self.text(key)
            while name != key and (name in before or name in value):
                name += "_"
            value[name] = item


def _is_object(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _is_plain(text: str) -> bool:
    if text.isascii():
        return text.isprintable() or not _odd_in_ascii(text)
    return not _odd()(text)


def _stripped(text: str, gone: Callable[[str], str]) -> tuple[str, bool]:
    """The plain text, and whether anything was taken out of it.

    Args:
        text: The text.
        gone: What stands in the place of what is taken out.
    """
    lined = re.sub(_LINE_END, lambda found: _for(found[0], "\n", gone), text)
    made = re.sub(_NO_CHARACTER, lambda found: _for(found[0], REPLACEMENT, gone), lined)
    made = re.sub(_RUN, lambda found: _run(found[0], gone), made)
    return made, made != lined


def _for(old: str, new: str, gone: Callable[[str], str]) -> str:
    """`new` in the place of `old`, which is no shorter."""
    return gone(old)[: len(gone(old)) - len(gone(new))] + new


def _run(run: str, gone: Callable[[str], str]) -> str:
    may_stay = [char for char in run if char in _MAY_STAY]
    if not may_stay or len(may_stay) > LONGEST_RUN or sum(char in _SELECTORS for char in may_stay) > 1:
        return gone(run)
    return "".join(char if char in _MAY_STAY else gone(char) for char in run)


def _nothing(gone: str) -> str:  # noqa: ARG001 - whatever it was
    return ""


def _spaces(gone: str) -> str:
    return " " * len(gone.encode(errors="surrogatepass"))
