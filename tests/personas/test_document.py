"""docs/personas.md: its examples are files that load, and its tables name what there is."""

import json
import re
from pathlib import Path
from typing import Any

from personas import SHIPPED, Catalogue
from schemas import read

TEXT = (Path(__file__).parents[2] / "docs/personas.md").read_text()
SHIPPED_DATA: dict[str, Any] = json.loads(SHIPPED.read_bytes())


def example(heading: str) -> str:
    """The first JSON under a heading, as one copies it."""
    return re.findall(r"```json\n(.*?)```", TEXT.partition(f"## {heading}\n")[2], re.DOTALL)[0]


def test_the_persona_of_the_document_is_one() -> None:
    """Pasted behind those that ship, it is served without a fault, found by its words, and has its hours."""
    rows = [*SHIPPED_DATA["astrologers"], json.loads(example("Add a persona in two minutes"))]
    catalogue = Catalogue.from_data({**SHIPPED_DATA, "astrologers": rows})
    assert catalogue.faults == ()
    meera = catalogue.match("naukri ka sawal")[0].persona
    assert meera.id == "meera_vedic_career"
    assert meera.behaviour.pricing is not None
    assert not meera.behaviour.availability.always


def test_the_feature_of_the_document_reaches_the_prompt() -> None:
    """Pasted under features and given to somebody, its line is in the instructions."""
    features = json.loads(f"{{{example('Add a feature in two minutes')}}}")["features"]
    rows = [SHIPPED_DATA["astrologers"][0] | {"catchphrase": "Slowly, slowly."}]
    catalogue = Catalogue.from_data({"astrologers": rows, "features": SHIPPED_DATA["features"] | features})
    assert catalogue.faults == ()
    assert "Now and then say: Slowly, slowly.." in catalogue.all()[0].standing


def test_every_feature_field_and_key_is_named() -> None:
    """The tables have a row for each; also for the parts of a feature's value."""
    schema = read("personas")["$defs"]
    keys = set(schema["catalogue"]["properties"]) - {"$schema", "astrologers", "features"}
    inner = {key for feature in SHIPPED_DATA["features"].values() for key in feature["schema"].get("properties", ())}
    wanted = {*keys, *schema["astrologer"]["properties"], *SHIPPED_DATA["features"], *inner}
    assert [name for name in sorted(wanted) if f"`{name}`" not in TEXT] == []


def test_a_report_has_the_fields_that_the_document_names() -> None:
    """See tests/cli/test_personas.py for the report itself."""
    for name in ("file", "faults", "warnings", "sound", "active", "path", "line", "column", "persona", "message"):
        assert f"`{name}`" in TEXT
