"""A call as on a telephone: microphone and loudspeaker are open, and the caller interrupts by speaking."""

import json
import re
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.kit.exchange import CLIPS
from tests.kit.four import FOUR, PRIYANKA, TINA, first_words
from tests.kit.process import Server
from tests.page.conftest import Visit
from tests.page.visitor import DESKTOP, Visitor, launch, seconds, voice

MARRIAGE = re.compile("शादी|विवाह")
BEFORE = 9.0  # seconds until the first question, for whoever has to press a button before it
BETWEEN = 4.0  # seconds from one question to the next: shorter than an answer
TIMES = 30  # that the question comes before the next pause of BEFORE
EARLIEST, LATEST = 3.0, 2.0  # seconds before the next question, in a pause: time to press a button
PAUSES = """([before, lasts, earliest, latest]) => {
    const at = (performance.now() - spy.listens) / 1000 - before;
    const left = at < 0 ? -at : lasts - (at % lasts);
    return left > latest && (at < 0 || left < earliest);
}"""

RESAMPLED = """async ([from, to, hertz]) => {
    const { Resampler } = await import('/client/resampler.js');
    const resampler = new Resampler(from, to);
    const out = [];
    for (let n = 0; n < from; n += 128) {
        const piece = Float32Array.from({ length: 128 }, (_, k) => Math.sin(2 * Math.PI * hertz * (n + k) / from));
        out.push(...resampler.push(piece));
    }
    let error = 0, power = 0;
    for (let n = 1000; n < out.length - 1000; n++) {
        error = Math.max(error, Math.abs(out[n] - Math.sin(2 * Math.PI * hertz * n / to)));
        power = Math.max(power, Math.abs(out[n]));
    }
    return [out.length, error, power];
}"""


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Why is my marriage late? And the pause after it."""
    return voice(CLIPS / "hi_marriage_delay.m4a", tmp_path_factory.mktemp("voices"), pause=BETWEEN)


@pytest.fixture(scope="module")
def asking(playwright: Playwright, question: Path) -> Iterator[Browser]:
    """One that asks again and again: in the pause before she is muted."""
    with launch(playwright, repeated(question, question.with_name("repeated.wav"))) as one:
        yield one


def repeated(said: Path, file: Path) -> Path:
    """The same recording so many times, after a pause."""
    with wave.open(str(said)) as once, wave.open(str(file), "wb") as whole:
        whole.setparams(once.getparams())
        whole.writeframes(bytes(2 * int(BEFORE * once.getframerate())))
        whole.writeframes(once.readframes(once.getnframes()) * TIMES)
    return file


def mute(visitor: Visitor) -> None:
    """Press the button that does it, and undoes it."""
    visitor.page.get_by_role("button", name="Mute").click()


def pause(visitor: Visitor, question: Path) -> None:
    """Wait until the recording is between two questions: who is heard from the middle of one on asks something else."""
    visitor.page.wait_for_function(PAUSES, arg=[BEFORE, seconds(question), EARLIEST, LATEST], polling=50)


def test_a_call_by_speaking(running: Server, visit: Visit, asking: Browser, question: Path) -> None:
    """Hear the greeting, ask by speaking, interrupt by speaking, switch, hang up; who is muted is not heard."""
    visitor = visit(f"http://{running.address}/", by=asking)
    visitor.call("Tina Kulkarni")
    mute(visitor)
    visitor.sees("speaking", "Tina Kulkarni is speaking.")
    visitor.hears_sound(True)
    visitor.hears("assistant", first_words(FOUR.get(TINA)))
    visitor.sees("muted", "Tina Kulkarni is listening, but you are muted.")
    visitor.hears_sound(False)
    assert {"speech_started", "clear"}.isdisjoint(visitor.told)

    pause(visitor, question)
    mute(visitor)
    visitor.sees("hearing", "Tina Kulkarni hears you.")
    visitor.sees("thinking")
    mute(visitor)  # or the question comes again before a slow machine answers, each time
    visitor.sees("speaking")
    visitor.hears("user", MARRIAGE)
    visitor.hears("assistant", MARRIAGE)
    mute(visitor)
    visitor.is_told("clear")  # the question comes again, into the answer
    visitor.sees("hearing")
    visitor.hears_sound(False)
    assert visitor.told.index("speech_stopped") < visitor.told.index("clear")
    visitor.sees("thinking")
    mute(visitor)
    visitor.sees("speaking")  # she answers that, too

    visitor.page.get_by_role("button", name="Switch").click()
    visitor.call("Priyanka")
    visitor.sees("speaking", "Priyanka is speaking.")
    visitor.hears("assistant", FOUR.get(PRIYANKA).greeting)
    visitor.type("Will my boyfriend come back to me?")
    visitor.hears("assistant", re.compile("boyfriend"))
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended", "The call has ended: you hung up.")
    assert visitor.page.evaluate("spy.tracks.map((track) => track.readyState)") == ["ended"]
    assert set(visitor.frames) == {960}


def test_what_was_played_is_told(running: Server, visit: Visit) -> None:
    """Twice a second while a reply plays, and at its end: so the server knows what was heard when it is interrupted."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.sees("speaking")
    visitor.sees("listening", "Mohit is listening.")
    told = [message for message in map(json.loads, visitor.sent) if message["type"] == "played"]
    assert {message["response_id"] for message in told} == {"1.1"}
    steps = [after["ms"] - before["ms"] for before, after in pairwise(told)]
    assert all(0 < step < 700 for step in steps)
    assert 5_000 < told[-1]["ms"] < 20_000


def test_the_button_is_kept_for_who_wants_it(running: Server, visit: Visit, asking: Browser) -> None:
    """It may be chosen during a call, and back; the choice is remembered."""
    visitor = visit(f"http://{running.address}/", by=asking)
    visitor.call("Mohit")
    mute(visitor)
    visitor.sees("muted")
    hold = visitor.page.get_by_label("Hold a button to talk")
    hold.check()
    visitor.sees("listening")
    expect(visitor.page.get_by_role("button", name="Mute")).to_be_hidden()
    visitor.press()
    visitor.page.keyboard.press("Escape")
    visitor.page.mouse.up()
    visitor.type("Will I marry?")
    visitor.sees("thinking")
    visitor.sees("speaking")
    assert "audio_response" in visitor.told

    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.page.reload()
    expect(hold).to_be_checked()
    visitor.call("Mohit")
    visitor.sees("speaking")
    assert "mode=clip" in visitor.dialled[-1]
    visitor.sees("listening")  # who speaks over the first words hears them again
    hold.uncheck()
    visitor.sees("hearing")
    visitor.sees("thinking")
    mute(visitor)
    visitor.sees("speaking")
    assert visitor.told.count("response_started") == 2


def test_without_an_audio_worklet_the_button_is_held(running: Server, visit: Visit, speaker: Browser) -> None:
    """As on older telephones."""
    visitor = visit(f"http://{running.address}/", by=speaker)
    visitor.page.add_init_script("delete globalThis.AudioWorkletNode")
    visitor.page.reload()
    visitor.call("Mohit")
    hold = visitor.page.get_by_label("Hold a button to talk")
    expect(hold).to_be_checked()
    expect(hold).to_be_disabled()
    visitor.sees("listening")
    assert "mode=clip" in visitor.dialled[-1]
    visitor.talk(4)
    visitor.sees("thinking")
    visitor.sees("speaking")


TAKEN: dict[str, tuple[str, str]] = {
    "sound": ("spy.ears[0].context.suspend()", ""),
    "microphone": (
        "Object.defineProperty(spy.tracks[0], 'muted', { value: true, configurable: true });"
        "spy.tracks[0].dispatchEvent(new Event('mute'))",
        "delete spy.tracks[0].muted; spy.tracks[0].dispatchEvent(new Event('unmute'))",
    ),
}


@pytest.mark.parametrize("what", TAKEN)
def test_a_telephone_that_takes_the_sound_away(running: Server, visit: Visit, what: str) -> None:
    """For a call of its own, or for its lock: the page says so, and goes on when it may, or at a tap."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.sees("speaking")
    visitor.hears_sound(True)
    take, give = TAKEN[what]
    visitor.page.evaluate(take)
    visitor.sees("interrupted", "The sound was taken by your telephone: tap anywhere to go on with Mohit.")
    if give:
        visitor.page.evaluate(give)
    else:
        visitor.page.locator("#captions").click()
    visitor.sees("listening")


def test_a_microphone_that_is_unplugged(running: Server, visit: Visit, asking: Browser) -> None:
    """The page says what to do, and the button opens it again."""
    visitor = visit(f"http://{running.address}/", by=asking)
    visitor.call("Mohit")
    visitor.is_heard()
    visitor.page.evaluate("spy.tracks[0].stop(), spy.tracks[0].dispatchEvent(new Event('ended'))")
    expect(visitor.page.locator("#problem")).to_contain_text("The microphone is gone.")
    visitor.is_heard(100)  # silence, in which what was being said has ended
    visitor.told.clear()
    mute(visitor)
    visitor.is_told("speech_started")
    expect(visitor.page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "false")


def test_a_page_in_the_background_goes_on(running: Server, visit: Visit) -> None:
    """And says that it is there."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.is_heard()
    visitor.page.evaluate(
        "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    visitor.sees("background", "Mohit is on the line, in the background.")
    visitor.is_heard()
    visitor.page.evaluate("document.dispatchEvent(new Event('freeze'))")  # the browser may throw it away now
    assert visitor.page.evaluate("JSON.parse(sessionStorage.call).wanted.name") == "Mohit"
    visitor.page.evaluate("document.dispatchEvent(new Event('resume'))")
    assert visitor.page.evaluate("sessionStorage.call") is None
    visitor.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    visitor.sees("listening")


def test_it_fits_a_narrow_telephone_and_a_keyboard(running: Server, visit: Visit) -> None:
    """Nothing is cut off at 320 px; the focus is on the button that mutes."""
    visitor = visit(f"http://{running.address}/", DESKTOP)
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.page.get_by_role("button", name="Mohit").focus()
    visitor.page.keyboard.press("Enter")
    visitor.sees("speaking")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 320
    expect(visitor.page.locator(":focus")).to_have_id("mute")
    visitor.page.keyboard.press("Space")
    visitor.sees("muted")
    expect(visitor.page.locator(":focus")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(("rate", "to"), [(48_000, 24_000), (44_100, 24_000), (16_000, 24_000), (24_000, 48_000)])
def test_sound_at_another_rate(running: Server, visit: Visit, rate: int, to: int) -> None:
    """A tone stays what it is; what the lower rate cannot carry is gone and not folded back."""
    page: Any = visit(f"http://{running.address}/").page
    length, error, _ = page.evaluate(RESAMPLED, [rate, to, 1000])
    assert abs(length - to) < 200
    assert error < 0.02
    if rate > to:
        assert page.evaluate(RESAMPLED, [rate, to, 15_000])[2] < 0.02
