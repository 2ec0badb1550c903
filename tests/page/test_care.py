"""What the page shows of care: that an AI speaks, and whom to call."""

import re

from playwright.sync_api import expect

from tests.kit.four import FOUR, MOHIT, first_words
from tests.kit.process import Server
from tests.page.conftest import Visit


def test_the_page_says_that_an_ai_speaks(running: Server, visit: Visit) -> None:
    """Before anything is said, and for as long as the conversation stands there."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    expect(visitor.page.locator(".disclosure")).to_have_text(FOUR.get(MOHIT).disclosure)
    visitor.hears("assistant", first_words(FOUR.get(MOHIT)))
    visitor.page.get_by_role("button", name="Hang up").click()
    expect(visitor.page.locator(".disclosure")).to_be_visible()


def test_the_page_shows_whom_to_call(running: Server, visit: Visit) -> None:
    """One tap dials; the numbers stay, and no time is counted any more."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.sees("listening")
    visitor.type("I want to die.")
    numbers = visitor.page.locator(".help a")
    expect(numbers.first).to_have_attribute("href", "tel:14416")
    expect(visitor.page.locator(".help")).to_contain_text("Tele-MANAS")
    visitor.hears("assistant", re.compile("14416|1 4 4 1 6"))
    visitor.sees("listening")
    before = visitor.page.locator("#meter").text_content()
    visitor.type("Are you there?")
    visitor.sees("listening")
    assert visitor.page.locator("#meter").text_content() == before
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended")
    expect(visitor.page.locator(".help")).to_have_count(1)
