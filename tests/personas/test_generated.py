"""Personas made from the schemas: those that fit are served, and whatever is wrong with one is told at its path."""

import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personas import Catalogue, CatalogueBroken
from personas.shape import Shape
from tests.personas.strategies import FEATURES, fitting, rows, spoiled

TODAY = datetime.date(2026, 11, 22)
CALM = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@CALM
@given(st.lists(rows(), min_size=1, max_size=3, unique_by=lambda row: row["astrologer_id"]))
def test_every_row_that_fits_is_served_with_its_instructions(data: list[dict[str, Any]]) -> None:
    """No fault, a prompt for each, the same bytes twice."""
    catalogue = Catalogue.from_data(data)
    assert [fault.path for fault in catalogue.faults] == ([] if catalogue.active() else ["$"])
    assert len(catalogue.all()) == len(data)
    again = Catalogue.from_data(data)
    for persona in catalogue.all():
        text = catalogue.instructions(persona, today=TODAY)
        assert text.startswith("# Persona\n")
        assert text == again.instructions(again.personas[persona.id], today=TODAY)
    assert catalogue.version == again.version


@CALM
@given(rows(), st.data())
def test_one_thing_wrong_is_told_at_its_path(row: dict[str, Any], data: st.DataObject) -> None:
    """Missing, unknown, of another type, empty, too long, hidden: the path is told, and another persona is served."""
    path, changed = data.draw(st.sampled_from(list(spoiled(row))))
    other = {**row, "astrologer_id": "other" if row["astrologer_id"] != "other" else "another"}
    with pytest.raises(CatalogueBroken) as broken:
        Catalogue.from_data([changed])
    assert path in {fault.path for fault in broken.value.faults}
    assert list(Catalogue.from_data([changed, other]).personas) == [other["astrologer_id"]]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["timezone", "hours", "x"]), inner),
    max_leaves=6,
)


@CALM
@given(st.sampled_from(sorted(FEATURES)), st.data())
def test_the_quick_check_and_the_one_that_explains_agree(name: str, data: st.DataObject) -> None:
    """Two libraries read one schema: neither lets through what the other would not."""
    schema = FEATURES[name]
    shape = Shape(schema)
    value = data.draw(VALUES | fitting(schema))
    assert shape.fits(value) == (not list(shape._explained.iter_errors(value)))


@CALM
@given(st.lists(VALUES | st.sampled_from([1, 1.0, True, 0, False, 0.0, [1], [True], {"x": 1}, {"x": 1.0}]), max_size=4))
def test_both_know_what_is_the_same_in_json(items: list[Any]) -> None:
    """1 and 1.0 are, 1 and true are not, also within others."""
    shape = Shape({"uniqueItems": True})
    assert shape.fits(items) == (not list(shape._explained.iter_errors(items)))
