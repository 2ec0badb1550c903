"""Calls that survive their network, and the reload of their page: no word is lost, and none is heard twice."""

import pytest
from playwright.sync_api import expect

from tests.kit.four import FOUR, MOHIT, first_words
from tests.kit.process import Server
from tests.page.conftest import Visit
from tests.page.line import line, released
from tests.page.visitor import Visitor

QUESTION = "When will I marry, and whom?"
ANSWER = "1.2"  # the second reply of the first connection to the model
PER_MS = 48  # bytes


@pytest.fixture(scope="module")
def whole(running: Server) -> bytes:
    """The answer, as it is released to whoever asks this."""
    return released(running, MOHIT, QUESTION)


def asked(visitor: Visitor) -> None:
    """The greeting is heard, a question is typed, and some of the answer: by then the server keeps the call."""
    visitor.call("Mohit")
    visitor.sees("listening")
    visitor.type(QUESTION)
    visitor.sees("speaking", "Mohit is speaking.")
    visitor.hears_sound(True)
    visitor.page.wait_for_function("() => parseInt(document.getElementById('meter').textContent) > 10")


def test_five_seconds_without_network_in_an_answer(running: Server, visit: Visit, whole: bytes) -> None:
    """The page says so; then the loudspeaker gets the rest, sample by sample what the server says to anybody."""
    with line(running) as way:
        visitor = visit(f"http://{way.address}/")
        asked(visitor)
        way.cut(5.0)
        visitor.sees("reconnecting", "Reconnecting to Mohit…")
        told = visitor.told.count("response_done")
        visitor.sees("speaking")
        visitor.sees("listening", "Mohit is listening.")
        assert (visitor.told.count("resumed"), visitor.told.count("response_done")) == (1, told + 1)
        assert visitor.dialled[-1].endswith("?resume=true")
        assert visitor.given(ANSWER) == (0, whole)
        assert len(visitor.lines("assistant")) == 2
        assert "clear" not in visitor.told
    visitor.forgives = True


def test_a_reload_in_the_middle_of_an_answer(running: Server, visit: Visit, whole: bytes) -> None:
    """The same persona, all that was written, who is muted stays so; after a tap the rest of the answer is heard."""
    visitor = visit(f"http://{running.address}/")
    asked(visitor)
    visitor.page.get_by_role("button", name="Mute").click()
    written = visitor.lines("user") + visitor.lines("assistant")[:1]
    _, before = visitor.given(ANSWER)
    visitor.reload()
    visitor.sees("silent", "Your browser waits for a tap: tap anywhere to hear Mohit.")
    assert visitor.lines("user") + visitor.lines("assistant")[:1] == written
    expect(visitor.page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    visitor.page.locator("#captions").click()
    visitor.sees("speaking", "Mohit is speaking.")
    visitor.sees("muted")  # it was played to its end

    came_from, rest = visitor.given(ANSWER)
    start = round(came_from * PER_MS)
    assert before == whole[: len(before)]
    assert 0 < start <= len(before) + PER_MS * 1000
    assert rest == whole[start:]
    assert len(visitor.lines("assistant")) == 2
    assert visitor.lines("assistant")[0] == first_words(FOUR.get(MOHIT))
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended", "The call has ended: you hung up.")
    expect(visitor.page.locator(".receipt")).to_contain_text("Mohit")  # one call, with its bill
    visitor.reload()
    visitor.sees("choosing")


def test_a_reload_after_which_nothing_is_left(running: Server, visit: Visit) -> None:
    """A call that had hardly begun is not kept: the page says so, and calls nobody by itself."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.sees("speaking")
    visitor.reload()
    visitor.sees("ended", "The call has ended: it was over before you were back.")
    visitor.page.get_by_role("button", name="Call again").click()
    visitor.sees("speaking")


def test_a_reload_while_a_whole_reply_plays(running: Server, visit: Visit) -> None:
    """In clip mode the browser has all of it: it plays on where it was."""
    visitor = visit(f"http://{running.address}/", hold=True)
    visitor.call("Mohit")
    visitor.sees("listening")
    visitor.type(QUESTION)
    visitor.sees("speaking")
    visitor.page.wait_for_function("() => spy.sounds[1] && performance.now() - spy.sounds[1].began > 4000")
    visitor.reload()
    visitor.page.locator("#captions").click()
    visitor.sees("speaking")
    visitor.sees("listening")
    (rest,) = visitor.sounds()
    assert rest["from"] > 3  # seconds
