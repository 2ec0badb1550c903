"""A call on the page, in Chromium, with the real server and the local engine."""

import re

from playwright.sync_api import expect

from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA
from tests.kit.process import Server
from tests.page.conftest import Visit
from tests.page.visitor import DESKTOP, seconds

DEVANAGARI = re.compile("[\u0900-\u097f]")
LATIN = re.compile("[a-zA-Z]")


def test_a_call_by_voice_in_two_languages(running: Server, visit: Visit, hindi) -> None:
    """Choose Tina, hear her, ask by holding the button, switch to Priyanka, ask in writing, hang up."""
    visitor = visit(f"http://{running.address}/")
    visitor.sees("choosing", "Choose whom you want to talk to.")
    visitor.call("Tina Kulkarni")
    visitor.sees("speaking", "Tina Kulkarni is speaking.")
    visitor.hears("assistant", FOUR.get(TINA).greeting)
    visitor.sees("listening", "Tina Kulkarni is listening.")

    visitor.talk(2 * seconds(hindi))  # once at least from its beginning to its end
    visitor.sees("thinking", "Tina Kulkarni is thinking…")
    visitor.sees("speaking")
    visitor.hears("user", re.compile("शादी|विवाह"))
    visitor.hears("assistant", re.compile("विवाह|शादी"))
    assert visitor.page.locator(".words[lang=hi]").count() == 3

    visitor.page.get_by_role("button", name="Switch").click()
    visitor.call("Priyanka")
    visitor.sees("speaking", "Priyanka is speaking.")
    visitor.hears("assistant", FOUR.get(PRIYANKA).greeting)
    visitor.type("Will my boyfriend come back to me?")
    expect(visitor.page.locator(".assistant")).to_have_count(4)
    assert "boyfriend" in visitor.lines("assistant")[-1]
    assert not DEVANAGARI.search(visitor.lines("assistant")[-1])
    visitor.sees("listening")  # heard to its end

    greeting, answer, hello, last = visitor.sounds()
    assert min(sound["peak"] for sound in (greeting, answer, hello, last)) > 0.1
    assert 5_000 < greeting["ended"] - greeting["began"] < 12_000
    assert answer["ended"] < hello["began"]

    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended", "The call has ended: you hung up.")
    assert visitor.page.evaluate("spy.tracks.map((track) => track.readyState)") == ["ended"]
    running.lines("replies=4", 1)
