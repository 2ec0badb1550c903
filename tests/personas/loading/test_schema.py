"""The schema file, as an editor and our own check read it."""

import json

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry

from personas import SHIPPED
from personas.behaviour import PARSERS
from personas.loading.shape import PERSONA_FIELDS, VOICES
from tests.personas.rows import Row

SCHEMA = json.loads((SHIPPED.parent.parent / "schemas" / "personas.schema.json").read_bytes())


def test_the_schema_is_one_and_the_shipped_file_fits() -> None:
    """It is valid draft 2020-12, needs no other file, and accepts what ships."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA, registry=Registry()).validate(json.loads(SHIPPED.read_bytes()))


def test_a_bare_list_fits_and_a_number_does_not() -> None:
    """Both shapes of a file are in the schema; nothing else is."""
    validator = Draft202012Validator(SCHEMA, registry=Registry())
    rows = json.loads(SHIPPED.read_bytes())["astrologers"]
    assert validator.is_valid(rows)
    assert not validator.is_valid([rows[0] | {"greeting": 1}])
    assert not validator.is_valid(7)
    assert not validator.is_valid({"astrologers": rows, "voices": {}})


@pytest.mark.parametrize("definition", ["catalogue", "astrologer"])
def test_every_field_tells_an_editor_what_it_is(definition: str) -> None:
    """Each has a description, its own or that of what it refers to."""
    for name, field in SCHEMA["$defs"][definition]["properties"].items():
        target = SCHEMA["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
        assert target.get("description"), name


ROW = json.loads(SHIPPED.read_bytes())["astrologers"][1]
OWN_FEATURE = {"catchphrase": {"schema": {"type": "string"}}}


@pytest.mark.parametrize(
    ("change", "shared", "fits"),
    [
        ({}, {}, True),
        ({"greting": "Hi"}, {}, False),
        ({"pricing": {"per_minut": 10, "currency": "INR"}}, {}, False),
        ({"pricing": {"per_minut": 10, "currency": "INR"}}, {"features": OWN_FEATURE}, False),
        ({"voice_id": "corral"}, {}, False),
        ({"voice_id": "fable"}, {}, True),
        ({"voice_id": "calm"}, {"voice_aliases": {"calm": "sage"}}, True),
        ({"catchphrase": "Slowly"}, {}, False),
        ({"catchphrase": "Slowly"}, {"features": OWN_FEATURE}, True),
        ({"tone": {"morning": "soft"}}, {"features": {"tone": {"schema": {"type": "object"}}}}, True),
    ],
)
def test_an_editor_marks_what_no_file_could_mean(change: Row, shared: Row, fits: bool) -> None:
    """A misspelled field or voice, unless the file declares names of its own, which no schema can follow."""
    validator = Draft202012Validator(SCHEMA, registry=Registry())
    rows = [{**ROW, **change}]
    assert validator.is_valid({"astrologers": rows, **shared}) == fits
    if not shared:
        assert validator.is_valid(rows) == fits


def test_an_editor_knows_what_ships() -> None:
    """Features with their descriptions, those that do something with their shapes; fields and voices by name."""
    shipped = json.loads(SHIPPED.read_bytes())
    defs = SCHEMA["$defs"]
    completed = defs["with_shipped_features"]["properties"]
    assert list(completed) == list(shipped["features"])
    for name, feature in shipped["features"].items():
        told = {"description": feature["description"]}
        inner = feature["schema"].get("properties")
        told |= feature["schema"] if name in PARSERS else {"properties": dict.fromkeys(inner, True)} if inner else {}
        assert completed[name] == told
    assert defs["with_shipped_fields_only"]["propertyNames"]["enum"] == [*PERSONA_FIELDS, *shipped["features"]]
    voices = defs["with_shipped_voices_only"]["properties"]["voice_id"]["enum"]
    assert voices == [*VOICES, *shipped["voice_aliases"]]
    with_names = {key: conditions["if"]["properties"] for conditions in defs["edited_file"]["allOf"][2:] for key in
                  conditions["if"]["properties"]}  # fmt: skip
    for key, condition in with_names.items():
        assert condition[key]["propertyNames"]["enum"] == list(shipped[key])
