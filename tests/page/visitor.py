"""A person in front of the page: a real Chromium, with a recording for a voice."""

import json
import os
import re
import shutil
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, WebSocket, expect
from playwright.sync_api import TimeoutError as TooLate

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=document-user-activation-required",  # as on a phone: no sound before the first tap
    "--use-fake-device-for-media-stream",
]
ALLOWED = "--use-fake-ui-for-media-stream"  # whoever asks gets the microphone
PHONE, DESKTOP = (390, 844), (1280, 800)  # CSS pixels
PATIENCE = 60_000  # ms
PAUSE = 1.0  # seconds between two repetitions of the recording
LOOK = 30  # ms between two looks at the call: within the page, as a state may pass soon
STANDS = """([state, words, flags]) => {
    const shown = document.querySelector("#state").textContent;
    return document.body.dataset.state === state && new RegExp(words, flags).test(shown);
}"""
SPY = Path(__file__).with_name("spy.js")
expect.set_options(timeout=PATIENCE)  # on a busy machine an answer takes longer than the 5 s of Playwright


def launch(playwright: Playwright, voice: Path | None = None, *more: str, allowed: bool = True) -> Browser:
    """A browser in which `voice`, a WAV file, is repeated into the microphone."""
    spoken = [f"--use-file-for-fake-audio-capture={voice}"] if voice else []
    arguments = [*ARGUMENTS, *([ALLOWED] if allowed else []), *spoken, *more]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


def voice(clip: Path, folder: Path, pause: float = PAUSE) -> Path:
    """The clip as the WAV file that Chromium takes for a microphone, with a pause of so many seconds after it."""
    resampler = av.AudioResampler("s16", "mono", 48_000)
    with av.open(str(clip)) as recording:
        frames = [part for frame in recording.decode(audio=0) for part in resampler.resample(frame)]
    file = folder / f"{clip.stem}-{pause:g}.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(b"".join(frame.to_ndarray().tobytes() for frame in frames))
        sound.writeframes(bytes(2 * int(pause * 48_000)))
    return file


def silence(folder: Path) -> Path:
    """A minute in which nobody says anything."""
    file = folder / "silence.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(bytes(60 * 96_000))
    return file


def seconds(voice: Path) -> float:
    """How long it takes until it is repeated."""
    with wave.open(str(voice)) as sound:
        return float(sound.getnframes() / sound.getframerate())


@dataclass
class Visitor:
    """One tab: what its browser complains of, the calls that were placed, and what was sent in them.

    `sent` are its messages, `frames` the bytes of each frame of its microphone, `told` the types of what came.
    """

    page: Page
    console: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    forgives: bool = False  # a server that is away: its browser writes down each try that fails, and is right
    reloaded: bool = False  # a page that may make no sound before it is tapped

    @classmethod
    def come(cls, context: BrowserContext) -> "Visitor":
        """In a new tab, which is not opened on anything yet."""
        context.add_init_script(path=SPY)
        visitor = cls(context.new_page())
        visitor.page.set_default_timeout(PATIENCE)
        visitor.page.on("console", visitor._complain)
        visitor.page.on("pageerror", lambda error: visitor.console.append(str(error)))
        visitor.page.on("websocket", visitor._watch)
        return visitor

    @property
    def complaints(self) -> list[str]:
        """What is on the console and should not be."""
        away = re.compile("ERR_|status of 503|response code: 503")
        lines = [line for line in self.console if not (self.forgives and away.search(line))]
        return [line for line in lines if not (self.reloaded and "AudioContext was not allowed to start" in line)]

    def _complain(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _watch(self, socket: WebSocket) -> None:
        self.dialled.append(socket.url)
        socket.on("framesent", self._note)
        socket.on("framereceived", self._hear)

    def _note(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self.sent.append(frame)
        else:
            self.frames.append(len(frame))

    def _hear(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self.told.append(json.loads(frame)["type"])

    def open(self, url: str) -> "Visitor":
        """The page, with its cards."""
        self.page.goto(url)
        expect(self.page.locator(".card").first).to_be_visible(timeout=PATIENCE)
        return self

    def reload(self) -> None:
        """The same tab, with its page again."""
        self.reloaded = True
        self.page.reload()

    def given(self, reply: str) -> tuple[float, bytes]:
        """What the loudspeaker was given of a streamed reply: from which ms of it on, and the PCM."""
        from_ms, pcm = self.page.evaluate("id => [spy.given[id]?.from ?? 0, spy.given[id]?.pcm ?? '']", reply)
        return from_ms, bytes.fromhex(pcm)

    def sees(self, state: str, words: str | re.Pattern[str] = "") -> None:
        """Wait until the call stands so, and these words say it."""
        wanted = words if isinstance(words, re.Pattern) else re.compile(re.escape(words))
        flags = "i" if wanted.flags & re.IGNORECASE else ""
        try:
            self.page.wait_for_function(STANDS, arg=[state, wanted.pattern, flags], polling=LOOK, timeout=PATIENCE)
        except TooLate as late:
            shown = self.page.evaluate("[document.body.dataset.state, document.querySelector('#state').textContent]")
            raise AssertionError(f"not {state}, {wanted.pattern!r}: {shown}") from late

    def call(self, name: str) -> None:
        """Tap the card of somebody."""
        self.page.get_by_role("button", name=name).click()

    def press(self) -> None:
        """Put a finger on the button."""
        self.page.locator("#talk").hover()
        self.page.mouse.down()
        self.sees("recording")

    def speak(self, long: float) -> None:
        """Go on speaking for so many seconds: what is said takes its time."""
        self.page.wait_for_timeout(long * 1000)

    def talk(self, long: float) -> None:
        """Hold the button and speak."""
        self.press()
        self.speak(long)
        self.page.mouse.up()

    def type(self, words: str) -> None:
        """Write, and send."""
        self.page.get_by_label("Type a question").fill(words)
        self.page.get_by_role("button", name="Send").click()

    def lines(self, role: str) -> list[str]:
        """What this side has said, as it is written down."""
        return self.page.locator(f".{role} .words").all_inner_texts()

    def hears(self, role: str, words: str | re.Pattern[str]) -> None:
        """Wait for the newest line of this side."""
        expect(self.page.locator(f".{role} .words").last).to_have_text(words, timeout=PATIENCE)

    def is_heard(self, frames: int = 50) -> None:
        """Wait until so many more frames of the microphone were sent."""
        enough = len(self.frames) + frames
        self._until(lambda: len(self.frames) >= enough)

    def is_told(self, kind: str, times: int = 1) -> None:
        """Wait until the server has said this, so many times."""
        self._until(lambda: self.told.count(kind) >= times)

    def _until(self, true: Callable[[], bool]) -> None:
        """Wait for what comes over the line; the browser tells of it only while it is asked something."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not true():
            assert time.monotonic() < deadline, self
            self.page.evaluate("new Promise(requestAnimationFrame)")

    def hears_sound(self, loud: bool) -> None:
        """Wait until something comes out of the loudspeaker, or nothing does."""
        self.page.wait_for_function("loud => (spy.loud() > 0.01) === loud", arg=loud)

    def sounds(self) -> list[dict[str, float]]:
        """What was played: `peak`, `from` which second on; in ms: when it `began`, `ended` (0: not yet), `lasts`."""
        found: list[dict[str, float]] = self.page.evaluate("spy.sounds")
        return found
