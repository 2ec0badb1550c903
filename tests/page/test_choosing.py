"""Whom to call: the cards and their filters, also where the catalogue is large or hostile."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, expect

from personas import SHIPPED
from tests.kit.engine_process import engine
from tests.kit.process import Server, server
from tests.page.conftest import Visit
from tests.page.visitor import DESKTOP, PHONE

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
LANGUAGES = """async () => {
    const { languageOf } = await import('/client/persona.js');
    return [['शादी', 'Hindi'], ['love', 'Hindi'], ['शादी', 'English'],
            ['שלום', 'Hebrew'], ['愛', 'Japanese'], ['愛', 'Hindi']]
        .map(([text, language]) => languageOf(text, language));
}"""
HEBREW = "שלום לכולם, אני כאן כדי לעזור"


def test_the_filters(running: Server, visit: Visit) -> None:
    """By language, by speciality, by both; the number of those who are left is told."""
    page = visit(f"http://{running.address}/").page
    cards, count = page.locator(".card:visible"), page.locator("#count")
    everyone = cards.count()
    page.get_by_label("Language").select_option("Hindi")
    assert 0 < cards.count() < everyone
    assert set(page.locator(".card:visible .language").all_inner_texts()) == {"Hindi"}
    page.get_by_label("Speciality").select_option("Vedic Love")
    expect(count).to_have_text("1 astrologer")
    expect(cards).to_contain_text("Harsh Dubey")
    page.get_by_label("Language").select_option("All")
    page.get_by_label("Speciality").select_option("All")
    expect(cards).to_have_count(everyone)


def test_a_card_says_who_it_is(running: Server, visit: Visit) -> None:
    """Name, speciality, language, a line in its own script, the price, and that the line is open."""
    page = visit(f"http://{running.address}/").page
    card = page.get_by_role("button", name="Tina Kulkarni")
    for words in ("Vedic Marriage", "Hindi", "वैदिक ज्योतिष सलाहकार", "₹10 a minute", "Open"):
        expect(card).to_contain_text(words)
    expect(card.locator(".about")).to_have_attribute("lang", "hi")
    expect(page.get_by_role("button", name="Mohit").locator(".about")).to_have_attribute("lang", "en")
    expect(page.locator("#engine")).to_contain_text("Answered by the local engine")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand astrologers, the first ones of the difficult kind."""
    model: dict[str, Any] = json.loads(SHIPPED.read_bytes())["astrologers"][1]
    strange: list[dict[str, Any]] = [
        {"name": SCRIPT[:80], "persona": SCRIPT, "speciality": SCRIPT[:80]},
        {"name": "W" * 80, "persona": "m" * 500, "speciality": "x" * 80},
        {"name": HEBREW, "persona": HEBREW, "speciality": "Gone", "status": "inactive"},
        {"name": "   ौ", "persona": "🔮", "pricing": {"per_minute": 0.5, "currency": "KWD"}},
    ]
    people = [
        {**model, "name": f"Number {n}", **(strange[n] if n < len(strange) else {}), "astrologer_id": f"number_{n}"}
        for n in range(1000)
    ]
    file = tmp_path_factory.mktemp("crowd") / "crowd.json"
    file.write_text(json.dumps({"astrologers": people}))
    return file


@pytest.fixture(scope="module")
def crowded(crowd: Path) -> Any:
    """A server that has them all."""
    with server("--personas", str(crowd), model=engine()) as one:
        yield one


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_thousand_strange_people(crowded: Server, visit: Visit, size: tuple[int, int]) -> None:
    """All are shown as what they are, text; nothing runs, nothing is wider than the page, all can be filtered."""
    visitor = visit(f"http://{crowded.address}/", size)
    page = visitor.page
    alerts: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    expect(page.locator(".card")).to_have_count(1000)
    expect(page.locator(".card .about").first).to_have_text(SCRIPT)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(LANGUAGES) == ["hi", "en", "hi", "he", "ja", ""]
    closed = page.locator(".card").nth(2)
    expect(closed).to_be_disabled()
    expect(closed).to_contain_text("Closed")
    assert page.evaluate("getComputedStyle(document.querySelectorAll('.about')[2]).direction") == "rtl"
    page.get_by_label("Speciality").select_option("Gone")
    expect(page.locator("#count")).to_have_text("1 astrologer")
    page.get_by_label("Speciality").select_option("All")
    page.locator(".card").nth(1).click()
    visitor.sees("speaking", "W" * 80)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert alerts == []
