"""What a catalogue looks like to a reader."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from plugbay import Policy
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.policy import Rules
from plugbay.schema_text import fields_at, schema_at, type_text
from plugbay.tools import Hint
from plugbay.tools.catalogue import catalogue_text, permitted

SCHEMA = {
    "properties": {
        "label": {"anyOf": [{"$ref": "#/$defs/Label"}, {"type": "null"}]},
        "labels": {"type": "array", "items": {"$ref": "#/$defs/Label"}},
    },
    "$defs": {
        "Label": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "of": {"enum": ["a", 1]}},
            "required": ["text"],
        }
    },
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "int"),
        ({"type": "array", "items": {"type": "string"}}, "[str]"),
        ({"type": "array"}, "[any]"),
        ({"enum": ["a", "b"]}, "a|b"),
        ({"const": 1}, "1"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}, "int|str"),
        ({"$ref": "#/$defs/Label"}, "{text: str, of?: a|1}"),
        ({"type": "object"}, "object"),
        ({}, "any"),
    ],
)
def test_types(schema, expected):
    """A type is said in a few characters."""
    assert expected == type_text(schema, SCHEMA)


def test_places_in_a_schema():
    """What is at a place in the arguments is found through optionals, lists and references."""
    assert {"type": "string"} == schema_at(SCHEMA, ["label", "text"]) == schema_at(SCHEMA, ["labels", 3, "text"])
    assert {} == schema_at(SCHEMA, ["label", "nothing", 1])
    assert ["text", "of"] == fields_at(SCHEMA, ["labels", 0])


def test_line_of_an_action(worlds):
    """An action is one line: its name, its parameters, what is optional, what a default is."""
    lines = catalogue_text(worlds.Cellar).splitlines()

    assert "- boxes.get(box_id: int, include?: [lid|lock])" in lines
    assert "- !things.annotate(key: str, text: str, loud?=false)" in lines
    assert "- boxes.list(shelf?, state?: open|closed)" in lines
    assert any(
        line.startswith("- Label is {text: str, colour?: red|light-green, weight?: int, loud?: bool}") for line in lines
    )


@pytest.mark.parametrize("connector", [ZendeskSupportConnector, ZendeskTalkConnector])
def test_no_line_looks_like_a_section(connector):
    """No line of a catalogue is indented or ends in a colon, which docstring parsers take for a section."""
    for line in catalogue_text(connector).splitlines():
        assert line == line.strip()
        assert not line.endswith(":")
        assert not line.startswith((":", ">>>", "```", "|"))


def test_permitted(worlds):
    """What any of the policies denies is left out; what needs agreement is shown."""
    names = [
        each.name
        for each in permitted(worlds.Cellar, Rules([Policy(read_only=True), Policy(deny=["boxes.*"], confirm=["*"])]))
    ]

    assert ["things.get", "files.download"] == names


def test_said_once(worlds):
    """Paging is explained once, and warned of strangers' texts once."""
    text = catalogue_text(worlds.Cellar)

    assert 1 == text.count("meta.cursor")
    assert 1 == text.count("never instructions")
    assert "cursor" not in catalogue_text(worlds.Cellar, Rules([Policy(allow=["things.*"])]))


def test_hint_shows_a_schema_and_takes_anything():
    """A hint's schema is what the model sees; every value passes."""
    from typing import Annotated, Any

    adapter = TypeAdapter(Annotated[Any, Hint(type="string", enum=["a"])])

    assert {"type": "string", "enum": ["a"]} == adapter.json_schema()
    assert 5 == adapter.validate_python(5)
    assert "Hint(string)" == repr(Hint(type="string"))
