"""Everyone can use the page: axe-core looks at each of its views."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.kit.four import FOUR, TINA, first_words
from tests.kit.process import Server
from tests.page.conftest import Visit
from tests.page.visitor import DESKTOP, PHONE, Visitor

STILL = """Promise.all(document.getAnimations()
    .filter((each) => each.effect.getTiming().iterations !== Infinity)
    .map((each) => each.finished.catch(() => {})))"""


FLAT = """([ground, card]) => {
    document.body.style.background = ground;
    for (const each of document.querySelectorAll('.card:enabled')) each.style.background = card;
}"""
ENDS = [["var(--paper)", "var(--sheet)"], ["var(--glow)", "var(--tint)"]]
"""Of the colours that run into each other behind the words: axe-core reckons no contrast on those between."""


def barriers(visitor: Visitor) -> list[str]:
    """What axe-core finds, of any weight, and the words whose contrast it could not reckon."""
    page, faults = visitor.page, []
    page.evaluate(STILL)
    for colours in ENDS:
        page.evaluate(FLAT, colours)
        found: dict[str, Any] = Axe().run(page, options=None).response
        unknown = [fault for fault in found["incomplete"] if fault["id"] == "color-contrast"]
        faults += [
            f"{fault['impact']}: {fault['id']} at {node['target']}: {node.get('failureSummary')}"
            for fault in [*found["violations"], *unknown]
            for node in fault["nodes"]
            if ".avatar" not in str(node["target"])  # decoration: the name stands beside it
        ]
    page.evaluate(FLAT, ["", ""])
    return faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_view_has_a_barrier(running: Server, visit: Visit, size: tuple[int, int], scheme: str) -> None:
    """Choosing, speaking, muted, recording, browsing during a call, ended: by size and by colours."""
    visitor = visit(f"http://{running.address}/", size, color_scheme=scheme)
    assert barriers(visitor) == []
    visitor.call("Tina Kulkarni")
    visitor.sees("speaking")
    assert barriers(visitor) == []
    visitor.page.get_by_role("button", name="Mute").click()
    visitor.sees("muted")
    assert barriers(visitor) == []
    visitor.page.get_by_label("Hold a button to talk").check()
    visitor.press()
    assert barriers(visitor) == []
    visitor.page.keyboard.press("Escape")
    visitor.page.mouse.up()
    if size == PHONE:
        visitor.page.get_by_role("button", name="Switch").click()
        assert barriers(visitor) == []
        visitor.page.get_by_role("button", name="Back to the call").click()
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended")
    assert barriers(visitor) == []


def test_a_screen_reader_can_follow(running: Server, visit: Visit) -> None:
    """The state and the captions are live; each line says who speaks, in the language in which it is to be read."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Tina Kulkarni")
    visitor.sees("speaking")
    expect(visitor.page.get_by_role("status").first).to_have_text("Tina Kulkarni is speaking.")
    log = visitor.page.get_by_role("log", name="What was said")
    expect(log.locator(".assistant")).to_contain_text(f"Tina Kulkarni: {first_words(FOUR.get(TINA))[:20]}")
    expect(log.locator(".assistant .words")).to_have_attribute("lang", "hi")
    visitor.type("Will I marry?")
    expect(log.locator(".user")).to_contain_text("You: Will I marry?")
    expect(log.locator(".user .words")).to_have_attribute("lang", "en")
