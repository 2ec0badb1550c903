"""A call by holding the button, in Chromium, with the real server and the local engine."""

import re
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.kit.four import FOUR, PRIYANKA, TINA, first_words
from tests.kit.process import Server
from tests.page.conftest import Visit
from tests.page.visitor import DESKTOP, seconds

DEVANAGARI = re.compile("[\u0900-\u097f]")


@pytest.fixture
def visit(visit: Visit, speaker: Browser) -> Visit:
    """Who comes here speaks Hindi, and holds the button for it."""
    return partial(visit, by=speaker, hold=True)


def test_a_call_by_voice_in_two_languages(running: Server, visit: Visit, hindi: Path) -> None:
    """Choose Tina, hear her, ask by holding the button, switch to Priyanka, ask in writing, hang up."""
    visitor = visit(f"http://{running.address}/")
    visitor.sees("choosing", "Choose whom you want to talk to.")
    visitor.call("Tina Kulkarni")
    visitor.sees("speaking", "Tina Kulkarni is speaking.")
    visitor.hears("assistant", first_words(FOUR.get(TINA)))
    visitor.sees("listening", "Tina Kulkarni is listening.")

    visitor.talk(2 * seconds(hindi))  # once at least from its beginning to its end
    visitor.sees("thinking", "Tina Kulkarni is thinking…")
    visitor.sees("speaking")
    visitor.hears("user", re.compile("शादी|विवाह|देरी"))  # the voice may be in its middle when the button goes down
    visitor.hears("assistant", DEVANAGARI)
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
    assert 5_000 < greeting["ended"] - greeting["began"] < 30_000  # the disclosure is part of it
    assert answer["ended"] < hello["began"]

    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended", "The call has ended: you hung up.")
    assert visitor.page.evaluate("spy.tracks.map((track) => track.readyState)") == ["ended"]
    running.lines("replies=4", 1)


def test_speaking_silences_the_persona(running: Server, visit: Visit) -> None:
    """Whoever begins to talk is not talked over: what plays stops at once, and the server is told."""
    visitor = visit(f"http://{running.address}/", DESKTOP)
    visitor.call("Mohit")
    visitor.sees("speaking")
    expect(visitor.page.get_by_role("button", name="Mohit")).to_have_attribute("aria-current", "true")
    visitor.press()
    visitor.page.evaluate("spy.over[0]")
    (greeting,) = visitor.sounds()
    assert greeting["ended"] - greeting["began"] < greeting["lasts"] - 1000
    assert '{"type":"interrupt"}' in visitor.sent
    visitor.speak(1)
    visitor.page.mouse.up()
    visitor.sees("thinking")
    visitor.sees("listening")


def test_a_tap_begins_and_a_tap_ends(running: Server, visit: Visit) -> None:
    """Who cannot hold a button taps it; Escape throws away what was said."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.sees("listening")
    talk = visitor.page.get_by_role("button", name="Talk")
    talk.click()
    visitor.sees("recording", "Mohit is listening: speak now.")
    expect(talk).to_have_attribute("aria-pressed", "true")
    expect(visitor.page.locator("#how")).to_contain_text("Tap again to send")
    visitor.page.keyboard.press("Escape")
    visitor.sees("listening")
    expect(visitor.page.locator(".user")).to_have_count(0)
    talk.click()
    visitor.sees("recording")
    visitor.speak(4)
    talk.click()
    visitor.sees("thinking")
    visitor.sees("speaking")


@pytest.mark.parametrize("does", ["types", "looks for somebody else"])
def test_who_does_something_else_is_not_recorded(running: Server, visit: Visit, does: str) -> None:
    """A button that was tapped and left on is off again, and nothing of it is sent."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.sees("listening")
    visitor.page.get_by_role("button", name="Talk").click()
    visitor.sees("recording")
    if does == "types":
        visitor.type("Will I marry?")
        visitor.sees("thinking")
        visitor.sees("speaking")
    else:
        visitor.page.get_by_role("button", name="Switch").click()
    visitor.sees("listening")
    assert not any('"type":"audio"' in frame for frame in visitor.sent)


def test_a_call_fits_a_narrow_telephone(running: Server, visit: Visit) -> None:
    """Nothing is cut off at 320 px."""
    visitor = visit(f"http://{running.address}/")
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.call("Tina Kulkarni")
    visitor.sees("speaking")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_call_by_keyboard_alone(running: Server, visit: Visit) -> None:
    """Tab, Enter, the space bar; the focus is always where the call goes on."""
    visitor = visit(f"http://{running.address}/", DESKTOP)
    keyboard, focused = visitor.page.keyboard, visitor.page.locator(":focus")
    for _ in range(4):  # two filters, Tina, Mohit
        keyboard.press("Tab")
    expect(focused).to_contain_text("Mohit")
    keyboard.press("Enter")
    expect(focused).to_have_id("talk")
    visitor.sees("listening")
    keyboard.down("Space")
    visitor.sees("recording")
    visitor.speak(4)
    keyboard.up("Space")
    visitor.sees("thinking")
    visitor.sees("listening")
    keyboard.press("Tab")
    expect(focused).to_have_text("Hang up")
    keyboard.press("Tab")
    keyboard.type("Will I marry this year?")  # with its spaces: here they are letters
    keyboard.press("Enter")
    visitor.hears("user", "Will I marry this year?")
    visitor.sees("speaking")
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    visitor.sees("ended")
    expect(focused).to_have_text("Call again")
    keyboard.press("Tab")
    keyboard.press("Enter")
    visitor.sees("choosing")
    expect(focused).to_contain_text("Mohit")


def test_a_second_tab_takes_the_call(running: Server, visit: Visit) -> None:
    """The first says where it goes on, stays off the line, and calls under another name when it is told to."""
    first = visit(f"http://{running.address}/")
    first.call("Mohit")
    first.sees("speaking")
    user = first.page.evaluate("sessionStorage.user")
    second = visit(f"http://{running.address}/")
    second.page.evaluate("user => sessionStorage.setItem('user', user)", user)
    first.page.clock.install()
    second.page.reload()
    second.call("Priyanka")
    first.sees("ended", "it goes on in another tab or on another device")
    first.page.clock.fast_forward("10:00")
    assert len(first.dialled) == 1
    second.sees("speaking")
    first.page.get_by_role("button", name="Call again").click()
    first.sees("speaking")
    assert first.page.evaluate("sessionStorage.user") != user
    second.sees("listening")
