"""Lines and columns of faults, compared with Python's own JSON parser."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas import SHIPPED, Catalogue, CatalogueBroken, Fault
from personas.loading.positions import duplicate_keys, located, places
from schemas.explain import path_of
from tests.personas.rows import Make

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_every_value_stands_where_it_is_said_to(value: Any, indent: int | str | None, ascii_: bool) -> None:
    """Whatever JSON and however it is laid out: reading on from a place gives the value (or the key) at that path."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    found = dict(places(text))
    assert set(found) == set(ways(value))
    for way, offset in found.items():
        read, _ = json.JSONDecoder().raw_decode(text[offset:])
        assert read == (way[-1] if way and isinstance(way[-1], str) else at(value, way))


def ways(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(one for key, below in inner for one in ways(below, (*way, key)))]


def at(value: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        value = value[step]
    return value


@given(VALUES)
def test_every_path_leads_to_its_line(value: Any) -> None:
    """A fault's path is written, read and found again, whatever the keys are."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    for way, offset in dict(places(text)).items():
        (fault,) = located([Fault(path_of(way), "x")], text)
        lines = text[:offset].split("\n")
        assert (fault.line, fault.column) == (len(lines), len(lines[-1]) + 1)


def test_a_fault_has_its_line_and_a_missing_field_that_of_its_row(tmp_path: Path, row: Make) -> None:
    """Also behind Devanagari, which has more bytes than characters, and behind a byte order mark."""
    text = '\ufeff[\n {"name": "आशा", "tonee": 1}\n]'
    file = tmp_path / "personas.json"
    file.write_text(text)
    with pytest.raises(CatalogueBroken) as broken:
        Catalogue.load(file)
    where = {fault.path: (fault.line, fault.column) for fault in broken.value.faults}
    assert where["$[0].tonee"] == (2, 18)
    assert where["$[0].greeting"] == (2, 2)


def test_what_is_no_json_has_its_line(tmp_path: Path) -> None:
    """A comma too many on the third line."""
    file = tmp_path / "personas.json"
    file.write_text("[\n {},\n]")
    with pytest.raises(CatalogueBroken) as broken:
        Catalogue.load(file)
    (fault,) = broken.value.faults
    assert (fault.path, fault.line) == ("$", 3) or "comma" in fault.message


def test_a_key_written_twice_is_a_fault_of_its_row(tmp_path: Path, row: Make) -> None:
    """JSON parsers silently use the last of two equal keys; here the row is refused, with the place of the second."""
    twice = json.dumps(row())[:-1] + ',\n"greeting": "Hello."}'
    file = tmp_path / "personas.json"
    file.write_text(f"[{twice},\n{json.dumps(row(astrologer_id='good'))}]")
    catalogue = Catalogue.load(file)
    assert list(catalogue.personas) == ["good"]
    (fault,) = catalogue.faults
    assert (fault.path, fault.persona, fault.line) == ("$[0].greeting", "asha_vedic_love", 2)
    assert "is written twice" in fault.message


def test_a_key_written_twice_is_told_before_all_that_follows_from_it(tmp_path: Path, row: Make) -> None:
    """Though it stands behind them: only the last of the two was read."""
    twice = json.dumps(row(language="Klingon", gender="?"))[:-1] + ',\n"greeting": "Hello."}'
    file = tmp_path / "personas.json"
    file.write_text(f"[{json.dumps(row(astrologer_id='x', language='Klingon'))}, {twice}]")
    with pytest.raises(CatalogueBroken) as broken:
        Catalogue.load(file)
    assert [fault.line for fault in broken.value.faults] == [2, 1, 1, 1]
    assert "is written twice" in broken.value.faults[0].message


def test_a_key_of_the_common_part_written_twice_refuses_nobody(tmp_path: Path, row: Make) -> None:
    """The duplicate is reported once, and not for each value below it."""
    file = tmp_path / "personas.json"
    file.write_text(f'{{"memory": "none", "astrologers": [{json.dumps(row())}],\n"memory": "shared"}}')
    catalogue = Catalogue.load(file)
    assert len(catalogue.all()) == 1
    assert [(fault.path, fault.line) for fault in catalogue.faults] == [("$.memory", 2)]
    assert duplicate_keys('{"a": {"b": 1}, "a": {"b": 1}}') == [("a",)]


def test_the_file_that_ships_names_its_schema_and_fits_it() -> None:
    """An editor completes by it."""
    data = json.loads(SHIPPED.read_bytes())
    schema = json.loads((SHIPPED.parent / data["$schema"]).read_bytes())
    assert schema["$id"] == "personas.schema.json"
    assert set(data) <= set(schema["$defs"]["catalogue"]["properties"])
