"""Personas made from the schemas: those that fit are served, and whatever is wrong with one is told at its path."""

import datetime
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from personas import Catalogue, CatalogueBroken
from personas.loading.shape import Shape
from personas.prompt import build
from schemas.explain import path_of
from tests.kit.examples import examples
from tests.personas.mistakes import consequences, mistakes
from tests.personas.strategies import DEFS, SHIPPED_FEATURES, catalogues, fitting, leaves, value_schemas

TODAY = datetime.date(2026, 11, 22)
CALM = settings(
    deadline=None, max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
# A whole file takes minutes to shrink, and the message names the place.
WHOLE = settings(CALM, phases=[Phase.explicit, Phase.reuse, Phase.generate])
FEW = settings(WHOLE, max_examples=examples(9))  # each with some four hundred mistakes
SECTIONS = ["Persona", "Language", "Expertise", "Style", "Conduct", "Today"]


@WHOLE
@given(catalogues())
def test_every_file_that_fits_is_served_with_its_instructions(data: dict[str, Any]) -> None:
    """No fault, and for each a prompt in which all that the file says of them stands in its section; the same twice."""
    catalogue, again = Catalogue.from_data(data), Catalogue.from_data(data)
    assert catalogue.faults == ()
    assert list(catalogue.personas) == [row["astrologer_id"] for row in data["astrologers"]]
    assert (catalogue.version, catalogue.memory) == (again.version, data["memory"])
    declared = SHIPPED_FEATURES | data["features"]
    for row, persona in zip(data["astrologers"], catalogue.all(), strict=True):
        text = build(persona.standing, today=TODAY)
        assert text == build(again.personas[persona.id].standing, today=TODAY)
        said = sections(text)
        own = [name for name in row if name in declared]
        speaking = [name for name in own if declared[name].get("prompt")]
        assert list(said) == [title for title in SECTIONS if title != "Style" or speaking]
        assert said["Persona"] == row["system_prompt"]
        instruction = data["language_instructions"][row["language"]]
        assert said["Language"] == f"Language: {row['language']} ({persona.language_code}).\n{instruction}"
        assert said["Expertise"] == f"{row['speciality']}: {', '.join(row['expertise_keywords'])}"
        for name in speaking:
            told = list(leaves(spoken(row[name], declared[name]["prompt"])))
            # Two have words of their own: no free seconds, and hours that are always.
            assert all(str(leaf) in said["Style"] for leaf in told if leaf and "always" not in told), name
        assert said["Today"] == "2026-11-22"
        assert {name for name in own if name in persona.public()} == {n for n in own if declared[n].get("public")}


def sections(text: str) -> dict[str, str]:
    """What stands under each heading."""
    parts = re.split(r"(?m)^# (.+)\n", text)
    return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))


def spoken(value: Any, prompt: str) -> Any:
    """Of the members of an object those that its prompt line names."""
    if not isinstance(value, dict):
        return value
    return [inner for name, inner in value.items() if f"value.{name}" in prompt or f"value['{name}']" in prompt]


@FEW
@given(catalogues())
def test_one_mistake_is_told_at_its_path_and_nowhere_else(data: dict[str, Any]) -> None:
    """Every single thing that can be wrong by the schemas, in every place; whoever does not need it is served."""
    for mistake in mistakes(data):
        try:
            catalogue = Catalogue.from_data(mistake.data)
            faults, served = catalogue.faults, list(catalogue.personas)
        except CatalogueBroken as broken:
            faults, served = broken.faults, []
        ways = {mistake.way, *consequences(mistake, data)}
        assert {fault.path for fault in faults} == {path_of(way) for way in ways}, mistake
        hurt = {way[1] for way in ways if way[0] == "astrologers" and len(way) > 1}
        ids = [row["astrologer_id"] for row in data["astrologers"]]
        assert served == ([] if mistake.way == ("astrologers",) else [i for n, i in enumerate(ids) if n not in hurt])


@CALM
@given(value_schemas(), st.data())
def test_the_drawn_schemas_are_schemas_and_have_values(schema: dict[str, Any], data: st.DataObject) -> None:
    """By the file's own definition of a feature's schema."""
    assert Shape({"$defs": DEFS, "$ref": "#/$defs/value_schema"}).faults(schema, ()) == []
    assert Shape(schema).faults(data.draw(fitting(schema)), ()) == []


@pytest.mark.parametrize("keyword", DEFS["value_schema"]["properties"])
def test_every_keyword_of_a_features_schema_is_drawn(keyword: str) -> None:
    """One that is added to the definition must be drawn, too."""
    quickly = settings(CALM, max_examples=1_000, phases=[Phase.generate])
    find(value_schemas(), lambda schema: f'"{keyword}"' in json.dumps(schema), settings=quickly)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["timezone", "hours", "x"]), inner),
    max_leaves=6,
)


@CALM
@given(st.sampled_from(sorted(SHIPPED_FEATURES)), st.data())
def test_the_quick_check_and_the_one_that_explains_agree(name: str, data: st.DataObject) -> None:
    """Two libraries read one schema: neither lets through what the other would not."""
    schema = SHIPPED_FEATURES[name]["schema"]
    shape = Shape(schema)
    value = data.draw(VALUES | fitting(schema))
    assert shape.is_valid(value) == (not list(shape._explained.iter_errors(value)))


@CALM
@given(st.lists(VALUES | st.sampled_from([1, 1.0, True, 0, False, 0.0, [1], [True], {"x": 1}, {"x": 1.0}]), max_size=4))
def test_both_know_what_is_the_same_in_json(items: list[Any]) -> None:
    """1 and 1.0 are, 1 and true are not, also within others."""
    shape = Shape({"uniqueItems": True})
    assert shape.is_valid(items) == (not list(shape._explained.iter_errors(items)))
