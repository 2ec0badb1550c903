"""A greeting that no voice can speak, and a persona whose language the engine does not have."""

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.kit.engine_process import engine
from tests.kit.languages import data
from tests.kit.process import server
from tests.page.conftest import Visit


def test_a_call_goes_on_without_a_spoken_greeting_and_is_refused_in_tamil(visit: Visit, tmp_path: Path) -> None:
    """The page listens once the greeting is written down; a refused persona is told with the reason."""
    content = data()
    next(row for row in content["astrologers"] if row["name"] == "Mohit")["greeting"] = "🙏"
    file = tmp_path / "personas.json"
    file.write_text(json.dumps(content))
    with server("--personas", str(file), "--leave-out-disclosure", model=engine()) as one:
        visitor = visit(f"http://{one.address}/")
        visitor.call("Mohit")
        visitor.hears("assistant", "🙏")
        visitor.sees("listening")
        visitor.type("Will I marry?")
        visitor.hears("user", "Will I marry?")
        other = visit(f"http://{one.address}/")
        other.call("Kavya")
        expect(other.page.get_by_text("hears and speaks English and Hindi only").first).to_be_visible()
        visitor.forgives = other.forgives = True
