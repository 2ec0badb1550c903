"""docs/personas.md: its examples are files that load, and its tables name what there is."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from care import pressed, pressure
from personas import SHIPPED, Catalogue
from schemas import read

TEXT = (Path(__file__).parents[2] / "docs/personas.md").read_text()
SHIPPED_DATA: dict[str, Any] = json.loads(SHIPPED.read_bytes())


def example(heading: str) -> str:
    """The first JSON under a heading, as one copies it."""
    found = re.search(r"```json\n(.*?)```", TEXT.partition(f"## {heading}\n")[2], re.DOTALL)
    assert found, f"no JSON under {heading}"
    return found[1]


def test_the_persona_of_the_document_is_one() -> None:
    """Pasted behind those that ship, it is served without a fault, found by its words, and has its hours."""
    rows = [*SHIPPED_DATA["astrologers"], json.loads(example("Add a persona in two minutes"))]
    catalogue = Catalogue.from_data({**SHIPPED_DATA, "astrologers": rows})
    assert catalogue.faults == ()
    meera = catalogue.match("naukri ka sawal")[0].persona
    assert meera.id == "meera_vedic_career"
    assert meera.behaviour.pricing is not None
    assert not meera.behaviour.availability.always
    week = [datetime(2026, 11, day, 3, tzinfo=ZoneInfo("Asia/Kolkata")) for day in range(23, 30)]
    assert all(meera.open_at(moment) for moment in week)


def test_the_persona_for_young_callers_is_one() -> None:
    """Beside those that ship, whom no minor may call: without a fault, and with nothing in it that presses callers."""
    rows = [*SHIPPED_DATA["astrologers"], json.loads(example("A persona for young callers"))]
    catalogue = Catalogue.from_data({**SHIPPED_DATA, "astrologers": rows})
    assert catalogue.faults == ()
    assert catalogue.warnings == ()
    assert set(catalogue.personas) - catalogue.not_for_minors == {"tara_stories_of_the_sky"}
    tara = catalogue.personas["tara_stories_of_the_sky"]
    assert (pressure(tara.system_prompt), pressed(tara.greeting)) == ([], frozenset())
    assert catalogue.match("a story about the stars")[0].persona is tara


def test_the_feature_of_the_document_reaches_the_prompt() -> None:
    """Pasted beside the astrologers and given to somebody: its line is in the instructions, and what ships is, too."""
    pasted = json.loads(f"{{{example('Add a feature in two minutes')}}}")
    value = json.loads(re.findall(r"`\"catchphrase\": (.*?)`", TEXT)[0])
    rows = [SHIPPED_DATA["astrologers"][0] | {"catchphrase": value}]
    catalogue = Catalogue.from_data({"astrologers": rows, **pasted})
    assert catalogue.faults == ()
    style = catalogue.all()[0].standing.partition("# Style\n")[2].partition("\n\n# ")[0].splitlines()
    assert len(style) == len(SHIPPED_DATA["astrologers"][0].keys() & SHIPPED_DATA["features"].keys()) + 1
    assert "Now and then say: Slowly, slowly." in style


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
