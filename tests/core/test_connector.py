"""One declaration gives the typed call, execute(), the description and the schemas."""

from __future__ import annotations

import inspect
import json
import pickle

import pytest

from plugbay import ConfigurationError, InvalidParameterError, Listing, Page, Result, UnknownOperationError, declare
from plugbay.connector import Connector
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.declare import Entity
from plugbay.operation import Effect

BOX = {"id": 1, "name": "A", "via": {"channel": "web"}, "text": "x" * 3_000}
CONNECTORS = [ZendeskSupportConnector, ZendeskTalkConnector]


def operations(connector):
    return [operation for actions in connector.operations.values() for operation in actions.values()]


class TestOneDeclaration:
    """Everything is said once."""

    async def test_typed_call_and_execute_are_the_same(self, world):
        """The typed call and execute() send the same request and give the same record."""
        cellar = world.cellar({"box": BOX})

        typed = await cellar.boxes.create(name="A", tags=["x"])
        named = await cellar.execute("boxes", "create", {"name": "A", "tags": ["x"]})

        first, second = world.requests
        assert (first.method, first.url, first.content) == (second.method, second.url, second.content)
        assert typed == named.data == BOX
        assert isinstance(named, Result)

    async def test_typed_list(self, world):
        """A typed list is a `Listing` that gives a `Page`."""
        listing = world.cellar({"boxes": [BOX], "meta": {"has_more": False}}).boxes.list(limit=3)

        assert isinstance(listing, Listing)
        page = await listing
        assert isinstance(page, Page)
        assert [BOX] == page.data

    def test_three_depths(self, worlds):
        """describe() names every action, an entity's actions, and an action's parameters."""
        cellar = worlds.Cellar

        everything, entity, action = cellar.describe(), cellar.describe("boxes"), cellar.describe("boxes", "create")

        assert all(operation.name in everything for operation in operations(cellar))
        assert "boxes - Boxes in the cellar." == entity.partition("\n")[0]
        assert "- boxes.get(box_id: int, include?: [lid|lock]) - One box." in entity
        assert "things" not in entity
        assert "boxes.create (write)" == action.partition("\n")[0]
        assert "- size: int, optional" in action
        assert len(everything) < sum(len(cellar.describe(name)) for name in cellar.operations) * 2

    def test_schema_of_an_action(self, worlds):
        """An action's JSON schema has its names, types, limits and texts."""
        schema = worlds.Cellar.find("boxes", "update").arguments.schema

        assert ["box_id"] == schema["required"]
        assert False is schema["additionalProperties"]
        assert {"type": "integer", "minimum": 1, "description": "The number on the box.", "title": "Box Id"} == schema[
            "properties"
        ]["box_id"]

    def test_writes_are_marked(self, worlds):
        """The text marks what changes data."""
        text = worlds.Cellar.describe()

        assert "- !boxes.create(" in text
        assert "- boxes.get(" in text
        assert "`!` changes data" in text

    @pytest.mark.parametrize("connector", CONNECTORS)
    def test_names_agree_everywhere(self, connector):
        """Entities, actions and parameters have the same names in the class, the catalogue, the lists and the schema."""
        listed = {entry["entity_name"]: entry for entry in connector.list_entities()}
        text = connector.describe()

        assert list(connector.operations) == list(listed)
        for entity, actions in connector.operations.items():
            assert list(actions) == listed[entity]["available_actions"]
            for action, operation in actions.items():
                names = [parameter["name"] for parameter in listed[entity]["parameters"][action]]
                declared = list(inspect.signature(operation.declaration).parameters)[1:]
                assert declared == names == list(operation.arguments.schema.get("properties", {}))
                assert f"{entity}.{action}(" in text
                assert action in dict(getattr(connector, entity).actions())

    @pytest.mark.parametrize("connector", CONNECTORS)
    def test_declarations_are_whole(self, connector):
        """Every action has a description, a record type, and only required arguments in its path."""
        for operation in operations(connector):
            assert operation.headline, operation.name
            assert operation.arguments.returns is not None or operation.kind == "delete", operation.name
            in_path = [p for p in operation.arguments.parameters.values() if p.location == "path"]
            assert all(parameter.required for parameter in in_path), operation.name
            assert operation.path.count("{") == len(in_path), operation.name
            assert (operation.effect is Effect.READ) == (operation.method == "GET"), operation.name
            if operation.kind == "list":
                assert {"limit", "cursor"} <= operation.arguments.parameters.keys(), operation.name

    def test_lists_of_entities_on_class_and_object(self, world):
        """list_entities() and entity_schema() are the same on the class and on a connector."""
        cellar = world.cellar()

        assert world.Cellar.list_entities() == cellar.list_entities()
        assert world.Cellar.entity_schema("boxes") == cellar.entity_schema("boxes")
        assert ["id"] == cellar.entity_schema("boxes")["required"]
        assert {
            "name": "box_id",
            "in": "path",
            "type": "int",
            "required": True,
            "description": "The number on the box.",
        } == (cellar.list_entities()[0]["parameters"]["get"][0])
        assert json.dumps(cellar.list_entities())

    def test_inherited_entities(self, worlds):
        """A connector has the entities of its base; a redeclared one is its own."""

        class Attic(Entity):
            """Only reading."""

            @declare.get("/attic", record="box")
            async def get(self) -> dict:
                """The attic."""
                ...

        class House(worlds.Cellar):
            """A house."""

            boxes = declare.entity(Attic)

        assert ["boxes", "things", "files"] == list(House.operations)
        assert ["get"] == list(House.operations["boxes"])
        assert "list" in worlds.Cellar.operations["boxes"]


@pytest.mark.parametrize("connector", CONNECTORS)
def test_schemas_hold_only_what_schemas_have(connector):
    """No JSON schema has a word that JSON Schema does not know; model providers refuse such."""
    words = {
        "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs",
        "title", "description", "default", "examples", "minimum", "maximum", "minLength", "maxLength", "minItems",
        "maxItems", "pattern", "format", "propertyNames",
    }  # fmt: skip

    def check(schema):
        assert set(schema) <= words, schema
        for part in ["$defs", "properties"]:
            for each in schema.get(part, {}).values():
                check(each)
        for each in schema.get("anyOf", []) + [schema[key] for key in ("items",) if isinstance(schema.get(key), dict)]:
            check(each)

    for operation in operations(connector):
        check(operation.arguments.schema)
    for entity in connector.operations:
        check(connector.entity_schema(entity))


class TestExecute:
    """Running an action by its name."""

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (("box", "get"), "There is no entity named 'box'. Did you mean 'boxes'?"),
            (("zzz", "get"), "There is no entity named 'zzz'."),
            (("boxes", "gett"), "There is no action of boxes named 'gett'. Did you mean 'get'?"),
        ],
    )
    async def test_unknown(self, world, names, message):
        """An unknown name is answered with the nearest and all there are."""
        with pytest.raises(UnknownOperationError) as caught:
            await world.cellar().execute(*names)

        assert message == caught.value.message
        assert caught.value.details["allowed"]
        assert caught.value.hint.startswith("Known: ")

    @pytest.mark.parametrize("call", [("describe", "box"), ("describe", "boxes", "gett"), ("entity_schema", "box")])
    def test_unknown_to_describe(self, worlds, call):
        """Describing what is not there is the same error."""
        with pytest.raises(UnknownOperationError):
            getattr(worlds.Cellar, call[0])(*call[1:])

    @pytest.mark.parametrize("fields", [["id", "via.channel"], ("id", "via.channel"), "id, via.channel"])
    async def test_select(self, world, fields):
        """Fields are chosen by name, in one record and in each of a list."""
        expected = {"id": 1, "via": {"channel": "web"}}
        one = await world.cellar({"box": BOX}).execute("boxes", "get", {"box_id": 1}, select_fields=fields)
        many = await world.cellar({"boxes": [BOX], "meta": {}}).execute("boxes", "list", select_fields=fields)

        assert expected == one.data
        assert [expected] == many.data

    async def test_exclude(self, world):
        """Fields are left out by name."""
        result = await world.cellar({"box": BOX}).execute("boxes", "get", {"box_id": 1}, exclude_fields=["text", "via"])

        assert {"id": 1, "name": "A"} == result.data

    async def test_fields_that_are_no_names(self, world):
        """Fields that are not names are refused before anything is sent."""
        with pytest.raises(InvalidParameterError):
            await world.cellar({"box": BOX}).execute("boxes", "get", {"box_id": 1}, select_fields=[1])

        assert [] == world.requests

    async def test_truncation_is_asked_for(self, world):
        """Long texts are whole unless the caller wants them cut."""
        cellar = world.cellar({"box": BOX})

        whole = await cellar.execute("boxes", "get", {"box_id": 1})
        cut = await cellar.execute("boxes", "get", {"box_id": 1}, skip_truncation=False)

        assert BOX == whole.data
        assert cut.data["text"].endswith("… [1000 more characters]")

    @pytest.mark.parametrize("params", [[], 0, "x", [1]])
    async def test_params_that_are_no_object(self, world, params):
        """Parameters that are not an object are refused."""
        with pytest.raises(InvalidParameterError):
            await world.cellar({"boxes": []}).execute("boxes", "list", params)

    async def test_shared_connector_is_kept(self, world):
        """An entity is made once for a connector."""
        cellar = world.cellar()

        assert cellar.boxes is cellar.boxes
        assert cellar.boxes is not world.cellar().boxes


class TestObject:
    """The connector as an object."""

    async def test_closes(self, world):
        """A connector closes with its block, and again without harm; a later call opens anew."""
        async with world.cellar({"box": BOX}) as cellar:
            await cellar.boxes.get(1)
        await cellar.close()

        assert BOX == await cellar.boxes.get(1)

    def test_a_listener_that_nobody_would_await(self, worlds):
        """A listener is called and not awaited, so a coroutine function is refused."""

        async def listen(event): ...

        for wrong in (listen, 5):
            with pytest.raises(ConfigurationError, match="on_event"):
                worlds.Cellar(None, on_event=wrong)

    def test_repr_has_no_secret(self, world):
        """Printing a connector shows its kind and nothing else."""
        assert "<Cellar>" == repr(world.cellar())
        assert "<ZendeskSupportConnector>" == repr(world.support())

    def test_is_not_pickled(self, world):
        """A connector holds credentials, so it is not pickled."""
        with pytest.raises(TypeError, match="holds credentials"):
            pickle.dumps(world.cellar())

    async def test_check(self, world):
        """check() says who the credentials belong to, or what is wrong with them."""
        good = await world.support({"user": {"id": 1, "name": "Ann", "email": "a@b.c", "role": "admin"}}).check()
        anonymous = await world.support({"user": {"id": None, "name": "Anonymous user"}}).check()

        assert ("healthy", "Ann") == (good["status"], good["user"]["name"])
        assert ("unhealthy", "authentication") == (anonymous["status"], anonymous["error"]["code"])
        json.dumps([good, anonymous])

    async def test_check_of_a_strange_answer(self, world):
        """check() says "unhealthy" whatever comes, and never fails."""
        for answer in ({}, {"user": None}, {"user": {}}):
            assert "unhealthy" == (await world.support(answer).check())["status"]


def test_empty_connector_describes_itself():
    """A connector without entities is described like any other."""

    class Nothing(Connector):
        """Nothing."""

    assert [] == Nothing.list_entities()
    assert isinstance(Nothing.describe(), str)
