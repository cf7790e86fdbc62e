"""Arguments: what is bound, mended, refused, and what a refusal says."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.arguments import UNSET, nearest, parsed_json
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.errors import InvalidParameterError


@pytest.fixture(scope="session")
def arguments(worlds):
    """The arguments of an action of the toy connector."""
    return lambda entity, action: worlds.Cellar.find(entity, action).arguments


@pytest.fixture(scope="session")
def bind(arguments):
    return lambda action, params: arguments("boxes", action).bind(params)


@pytest.fixture(scope="session")
def refused(bind):
    """The error of a call that is not bound."""

    def refuse(action, params):
        with pytest.raises(InvalidParameterError) as caught:
            bind(action, params)
        return caught.value

    return refuse


def corrected(error):
    """The call that an error's hint shows."""
    return json.loads(re.search(r" with (.*)\.$", error.hint, re.DOTALL)[1])


FILLINGS = {
    "int": 3, "str": "x", "bool": True, "object": {"a": 1}, "[str]": ["x"], "as given": "x", "open|closed": "open",
    "red|light-green": "red", "lid|lock": "lid",
}  # fmt: skip


def filled(value):
    """A call whose placeholders somebody has filled in."""
    if isinstance(value, dict):
        return {name: filled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if not (isinstance(value, str) and re.fullmatch("<.*>", value, re.DOTALL)):
        return value
    if (inside := value[1:-1]) in FILLINGS:
        return FILLINGS[inside]
    return [{"text": "x"}] if inside.startswith("[{") else {"text": "x"} if inside.startswith("{") else ["lid"]


class TestBinding:
    """What fits is taken as it is."""

    def test_right_call_is_unchanged(self, bind):
        """A call that fits is bound as given."""
        call = {"name": "A", "size": 2, "tags": ["x"], "label": {"text": "t"}, "contents": {"a": None}}

        assert call == bind("create", call)

    def test_default_is_bound(self, bind):
        """A default other than None is part of every call."""
        assert {"name": "A", "size": 1} == bind("create", {"name": "A"})

    def test_null_is_not_given(self, bind):
        """None stands for "not given" where null is no value of its own."""
        assert {"name": "A", "size": 1} == bind("create", {"name": "A", "size": None, "state": None, "label": None})

    def test_null_of_a_required_argument_is_missing(self, refused):
        """A required argument that is null is missing."""
        assert {"name": ["missing"]} == refused("create", {"name": None}).details["fields"]

    def test_null_is_sent_where_it_is_a_value(self, bind):
        """A parameter whose default is UNSET takes null, and is left out when it is not given."""
        assert {"box_id": 1, "owner": None} == bind("update", {"box_id": 1, "owner": None})
        assert {"box_id": 1, "name": "A"} == bind("update", {"box_id": 1, "name": "A", "owner": UNSET})

    def test_caller_keeps_their_objects(self, bind):
        """Mending copies; the caller's own objects stay as they were."""
        call = {"name": "A", "size": "5", "labels": [{"text": "t", "colour": "Red"}]}
        before = json.dumps(call)

        bind("create", call)

        assert before == json.dumps(call)

    def test_json_text_of_all_arguments(self, bind):
        """The JSON text of an object is as good as the object."""
        assert {"box_id": 1} == bind("get", '{"box_id": 1}')


class TestMending:
    """A slip whose meaning is plain is put right."""

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"size": "5"}, {"size": 5}),
            ({"size": 5.0}, {"size": 5}),
            ({"name": 7}, {"name": "7"}),
            ({"state": "Open"}, {"state": "open"}),
            ({"state": " CLOSED "}, {"state": "closed"}),
            ({"sealed": "true"}, {"sealed": True}),
            ({"tags": "vip"}, {"tags": ["vip"]}),
            ({"tags": "a, b,"}, {"tags": ["a", "b"]}),
            ({"tags": 5}, {"tags": ["5"]}),
            ({"tags": '["a", "b"]'}, {"tags": ["a", "b"]}),
            ({"contents": '{"a": 1}'}, {"contents": {"a": 1}}),
            ({"label": '{"text": "t"}'}, {"label": {"text": "t"}}),
            ({"label": '{"text": "t", "colour": "Light Green"}'}, {"label": {"text": "t", "colour": "light-green"}}),
            ({"labels": {"text": "t"}}, {"labels": [{"text": "t"}]}),
            ({"labels": '[{"text": "t", "weight": "3"}]'}, {"labels": [{"text": "t", "weight": 3}]}),
            ({"labels": ['{"text": "t"}']}, {"labels": [{"text": "t"}]}),
        ],
    )
    def test_plain_slips(self, bind, given, expected):
        """Digits, JSON texts, other spellings and single values are taken for what they mean."""
        assert {"name": "A", "size": 1, **expected} == bind("create", {"name": "A", **given})

    def test_several_slips_at_once(self, bind):
        """One call may have many slips."""
        given = {"name": "A", "size": "5", "tags": "a,b", "state": "OPEN", "label": '{"text": 1}'}
        expected = {"name": "A", "size": 5, "tags": ["a", "b"], "state": "open", "label": {"text": "1"}}

        assert expected == bind("create", given)

    def test_list_of_choices(self, bind):
        """A list of choices is mended in each of its parts."""
        assert {"box_id": 1, "include": ["lid", "lock"]} == bind("get", {"box_id": "1", "include": "LID, Lock"})

    @pytest.mark.parametrize(
        "given",
        [{"size": True}, {"label": {"text": "t", "weight": False}}, {"labels": '[{"text": "t", "weight": true}]'}],
    )
    def test_flags_are_no_numbers(self, refused, given):
        """True and false are never taken for 1 and 0, however deep, in a JSON text too."""
        error = refused("create", {"name": "A", **given})

        assert ["a number, not true or false"] in error.details["fields"].values()

    @pytest.mark.parametrize("entity", [ZendeskSupportConnector, ZendeskTalkConnector])
    def test_no_number_of_zendesk_takes_a_flag(self, entity):
        """In no action of a real connector is `true` taken for a number."""
        for operations in entity.operations.values():
            for operation in operations.values():
                for name, field in operation.arguments.schema.get("properties", {}).items():
                    types = {part.get("type") for part in [field, *field.get("anyOf", ())]}
                    if types <= {"integer", "number", "null"}:
                        with pytest.raises(InvalidParameterError) as caught:
                            operation.arguments.bind({name: True})
                        assert ["a number, not true or false"] == caught.value.details["fields"][name]

    @pytest.mark.parametrize("blank", ["", " ", ","])
    def test_blank_text_is_no_list(self, refused, blank):
        """A blank text is not taken for a list, which for an update could empty the field."""
        assert ["tags"] == list(refused("create", {"name": "A", "tags": blank}).details["fields"])


class TestRefusal:
    """What does not fit is refused, all of it at once, with a call that would."""

    def test_unknown_name_suggests_the_nearest(self, refused):
        """An unknown name is answered with the nearest right one and the whole list."""
        (text,) = refused("create", {"name": "A", "contnets": {}}).details["fields"]["contnets"]

        assert text.startswith("unknown, did you mean `contents`?; it takes name, size,")

    def test_unknown_name_that_is_the_end_of_one(self, refused):
        """`id` stands for `box_id` where only one name ends with it."""
        error = refused("get", {"id": 5})

        assert {"box_id": 5} == corrected(error)

    def test_everything_at_once(self, refused):
        """All that is wrong is said in one answer, by field."""
        error = refused("create", {"size": 12, "state": "ajar", "label": {"txt": 1}, "colour": "red"})

        assert ["name", "size", "state", "label.text", "label.txt", "colour"] == list(error.details["fields"])
        assert '"ajar" is not one of open, closed' in error.message
        assert error.message.startswith("boxes.create: `name`: missing; ")

    def test_unknown_name_inside(self, refused):
        """An unknown name inside an object is answered like one outside."""
        error = refused("create", {"name": "A", "label": {"text": "t", "color": "red"}})

        assert "did you mean `colour`?" in error.details["fields"]["label.color"][0]
        assert {"name": "A", "size": 1, "label": {"text": "t", "colour": "red"}} == {"size": 1, **corrected(error)}

    def test_hint_corrects_what_it_moves(self, refused, bind):
        """A value that the hint moves under its right name is put right, too."""
        call = corrected(refused("create", {"name": "A", "stat": "opne"}))

        assert {"name": "A", "size": 1, "state": "open"} == bind("create", call)

    def test_hint_keeps_the_rest_of_a_list(self, refused):
        """One wrong choice in a list does not cost the others."""
        call = corrected(refused("get", {"box_id": 1, "include": ["lids", "lock"]}))

        assert {"box_id": 1, "include": ["lid", "lock"]} == call

    def test_hint_does_not_repeat_long_texts(self, refused):
        """A long text stays the caller's: a copy cut short could be sent to a customer."""
        call = corrected(refused("create", {"name": "n" * 5_000, "size": 50}))

        assert {"name": "<as given>", "size": "<int>"} == call

    def test_range(self, refused):
        """A number out of its range is refused."""
        assert ["input should be less than or equal to 9"] == refused("create", {"name": "A", "size": 10}).details[
            "fields"
        ]["size"]

    @pytest.mark.parametrize("params", [[1], 5, "limit=5", "[1", "null"])
    def test_arguments_that_are_no_object(self, refused, params):
        """Arguments without names are refused like any other."""
        assert "must be an object" in refused("list", params).message

    def test_names_that_are_no_text(self, refused):
        """A name that is not a text is refused."""
        assert {"1": ["not a name"]} == refused("list", {1: 2}).details["fields"]

    @pytest.mark.parametrize(
        ("params", "field"),
        [
            ({"name": "\ud800", "contents": {"a": ["x"]}}, "name"),
            ({"name": "A", "contents": {"a": ["x", {"\ud800": 1}]}}, "contents.a.1"),
            ({"name": "A", "contents": {"é" * 300_000: [*["é"] * 15_000, "\udc00"]}}, f"contents.{'é' * 59}….15000"),
        ],
    )
    def test_half_a_character(self, refused, params, field):
        """A text or a name that has no form in UTF-8 is refused here, not by whoever encodes it."""
        assert [field] == list(refused("create", params).details["fields"])

    @pytest.mark.parametrize(
        ("params", "field"),
        [
            ({"name": "A\0", "contents": {"a": ["x"]}}, "name"),
            ({"name": "A", "contents": {"a": ["x", {"b\0": 1}]}}, "contents.a.1"),
            ({"name": "A", "tags": '["x", "\\u0000"]'}, "tags.1"),
        ],
    )
    def test_nul(self, refused, params, field):
        """A text or a name with a NUL, which a hosted service cannot keep, is refused here, and so in both modes alike."""
        error = refused("create", params)

        assert {field: ["has a NUL character, which not every service takes"]} == error.details["fields"]

    @pytest.mark.parametrize(
        ("params", "field"),
        [
            ({"name": "A", "label": {"text": "t", "weight": 2**63}}, "label.weight"),
            ({"name": "A", "label": {"text": "t", "weight": "9" * 4_000}}, "label.weight"),
            ({"name": "A", "contents": {"a": [-(2**63) - 1]}}, "contents.a.0"),
            ({"name": "A", "contents": {"a": 1e300}}, "contents.a"),
            ({"name": "A", "contents": {"a": float("nan")}}, "contents.a"),
            ({"name": "A", "contents": {"a": 10**5_000}}, "contents.a"),
        ],
        ids=range(6),
    )
    def test_numbers_beyond_64_bits(self, refused, params, field):
        """A number that not every service can hold is refused before anything is sent."""
        assert {field: ["a number must be within 64 bits"]} == refused("create", params).details["fields"]

    @pytest.mark.parametrize("value", [2**63 - 1, -(2**63), True])
    def test_largest_numbers(self, bind, value):
        """The largest numbers of 64 bits are taken as they are."""
        call = {"name": "A", "contents": {"a": [value]}}

        assert {"size": 1, **call} == bind("create", call)

    @pytest.mark.parametrize("value", [2**63, "1" * 4_000, "1" * 5_000, 10**5_000], ids=range(4))
    def test_ids_beyond_64_bits(self, arguments, value):
        """An id of more digits than any has is refused, be it a number or a text."""
        with pytest.raises(InvalidParameterError) as caught:
            arguments("boxes", "get").bind({"box_id": value})

        assert ["box_id"] == list(caught.value.details["fields"])
        assert 5_000 > len(json.dumps(caught.value.payload()))

    def test_hint_has_nothing_unsendable(self, refused, bind):
        """A call that is wrong in another way as well is not shown with what could not be sent."""
        error = refused("create", {"name": "A", "colour": 1, "contents": {"a": "\0"}})

        assert ["colour"] == list(error.details["fields"])
        assert bind("create", filled(corrected(error)))

    def test_nested_beyond_reason(self, refused):
        """However deep a call is nested, what cannot be sent is found."""
        deep = "\0"
        for _ in range(5_000):
            deep = [deep]

        assert 1 == len(refused("create", {"name": "A", "contents": {"a": deep}}).details["fields"])

    def test_size_of_a_refusal(self, refused):
        """However much is wrong, the answer stays short."""
        error = refused("create", {"name": "A", **{f"x{index}" * 100: 1 for index in range(500)}})

        assert 1_000 >= len(error.message)
        assert 20_000 > len(json.dumps(error.payload()))

    @pytest.mark.parametrize(
        ("params", "field"),
        [({f"x{index}": 1 for index in range(10_000)}, "x0"), ({"name": "A", "tags": [[1]] * 5_000}, "tags.0")],
    )
    def test_very_many_mistakes(self, refused, bind, params, field):
        """What is no slip any more is not put right piece by piece: some mistakes are told, with a call from the start."""
        error = refused("create", params)

        assert 50 == len(error.details["fields"])
        assert field in error.details["fields"]
        assert bind("create", filled(corrected(error)))

    @pytest.mark.parametrize("text", [list, json.dumps])
    def test_very_many_values(self, refused, text):
        """A call of more values than any has is not looked at further, be they given as they are or as JSON text."""
        error = refused("create", {"name": "A", "contents": {"a": ["x"]}, "tags": text([1] * 20_000)})

        assert error.message.startswith("boxes.create: a call has at most 20000 values.")


class TestNestedForm:
    """The service's own nested body is accepted as well."""

    def test_laid_flat(self, bind):
        """`{"box": {...}}` is the same as its fields."""
        assert {"box_id": 1, "name": "A"} == bind("update", {"box_id": 1, "box": {"name": "A"}})

    def test_as_json_text(self, bind):
        """The nested body may be a JSON text."""
        assert {"box_id": 1, "name": "A"} == bind("update", {"box_id": 1, "box": '{"name": "A"}'})

    @pytest.mark.parametrize("outer", [{"thing": {"note": {"text": "t"}}}, {"note": {"text": "t"}}])
    def test_of_two_levels(self, arguments, outer):
        """A body of two levels is accepted from the outer or the inner one on."""
        assert {"key": "k", "text": "t", "loud": False} == arguments("things", "annotate").bind({"key": "k", **outer})

    def test_null_body_is_not_given(self, bind):
        """A nested body that is null is not given."""
        assert {"name": "A", "size": 1} == bind("create", {"name": "A", "box": None})

    def test_given_twice(self, refused):
        """A field inside and outside is refused, even with the same value."""
        error = refused("update", {"box_id": 1, "name": "A", "box": {"name": "A"}})

        assert {"name": ["given twice, inside `box` and outside"]} == error.details["fields"]

    def test_that_is_no_object(self, refused, bind):
        """A nested body that is not an object is refused; the hint keeps the rest."""
        error = refused("update", {"box_id": 1, "box": 5})

        assert ["box"] == list(error.details["fields"])
        assert {"box_id": 1, "name": "A"} == bind("update", {**corrected(error), "name": "A"})


class TestPositional:
    """Typed calls may give arguments by place."""

    def test_by_place_and_name(self, arguments):
        """Places are filled in the order of the declaration."""
        assert {"key": "k", "part": "p"} == arguments("things", "get").positional(("k",), {"part": "p"})

    def test_twice(self, arguments):
        """An argument by place and by name is refused."""
        with pytest.raises(InvalidParameterError) as caught:
            arguments("things", "get").positional(("k",), {"key": "k"})

        assert {"key": ["given twice"]} == caught.value.details["fields"]
        assert {"key": "k", "part": "<str>"} == corrected(caught.value)

    def test_too_many(self, arguments):
        """More values than parameters are refused."""
        with pytest.raises(InvalidParameterError, match="at most 2 positional arguments"):
            arguments("things", "get").positional((1, 2, 3), {})


class TestNearest:
    """The name somebody most likely meant."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("Box-ID", "box_id"), ("boxid", "box_id"), ("nmae", "name"), ("zzz", None), ("", None), ("имя", None)],
    )
    def test_nearest(self, name, expected):
        """Case and separators do not count; what is far is nobody."""
        assert expected == nearest(name, ["box_id", "name"])

    def test_sign_counts(self):
        """A leading minus, which turns a sort round, is never dropped."""
        assert nearest("-Updated-At", ["updated_at", "-updated_at"]) == "-updated_at"


def test_parsed_json_never_fails():
    """A text that only begins like JSON, or is nested beyond reason, stays a text."""
    assert [{"a": 1}, "[1", "x", 5] == [parsed_json(value) for value in ('{"a": 1}', "[1", "x", 5)]
    assert "[" * 100_000 == parsed_json("[" * 100_000)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["red", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
texts = json_values.map(json.dumps) | st.sampled_from(["", "a,b", "[", '{"text": 1}', "Open"])
names = st.sampled_from(
    ["name", "size", "state", "label", "labels", "tags", "contents", "sealed", "box", "Name", "colour", "stat", ""]
)
calls = st.dictionaries(names, json_values | texts, max_size=6)


@given(calls)
def test_whatever_comes_is_bound_or_refused(bind, refused, call):
    """Binding never fails with anything but its own error, whose hint, filled in, is a call that fits."""
    try:
        bound = bind("create", call)
    except InvalidParameterError as refusal:
        error = refusal
    else:
        assert bound == bind("create", bound)
        return

    assert error.details["fields"]
    # JSON, in which the hint is written, has no form for some numbers.
    if not {"NaN", "Infinity"} & set(re.findall(r"\w+", json.dumps(call))):
        bind("create", filled(corrected(error)))


sendable = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"))
right_labels = st.fixed_dictionaries(
    {"text": sendable},
    optional={
        "colour": st.sampled_from(["red", "light-green"]),
        "weight": st.integers(-(2**63), 2**63 - 1),
        "loud": st.booleans(),
    },
)
right_calls = st.fixed_dictionaries(
    {"name": sendable.filter(bool)},
    optional={
        "size": st.integers(1, 9),
        "state": st.sampled_from(["open", "closed"]),
        "label": right_labels,
        "labels": st.lists(right_labels),
        "tags": st.lists(sendable),
        "sealed": st.booleans(),
    },
)


@given(right_calls)
def test_right_calls_survive_a_round_trip(bind, call):
    """A right call is bound unchanged, as objects and as JSON texts of its objects."""
    expected = {"size": 1, **call}
    told = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in call.items()}

    assert expected == bind("create", call)
    assert expected == bind("create", told)
    assert expected == bind("create", {"box": json.dumps(call)})
