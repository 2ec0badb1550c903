"""The schema file, as an editor and our own check read it."""

import json

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry

from personas import SHIPPED

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
