"""After a barge-in the model remembers what the caller heard: right to within two words, where players report."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from actors.messages.admission import Attached, From
from actors.messages.caller import Chose, Clear, FromCaller, Played, Sound, ToCaller, Transcript, Typed
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from tests.kit.four import FOUR, TINA
from tests.kit.streaming import asked, begin, give
from upstream.facts import BYTES_PER_MS

WORDS = ["a", "is", "the", "moon", "will", "house", "before", "seventh", "marriage", "patience", "understanding"]
REPORT_SECONDS = 0.25
CASES = 100


@dataclass
class Ear:
    """A phone that begins to play a moment after the first sound, and then plays on in real time."""

    buffer: float
    told: list[ToCaller] = field(default_factory=list)
    response: str = ""
    starts: float = 0.0
    sent: float = 0.0

    def tell(self, message: ToCaller) -> None:
        self.told.append(message)
        if isinstance(message, Sound):
            now = asyncio.get_running_loop().time()
            if message.response_id != self.response:
                self.response, self.sent, self.starts = message.response_id, 0.0, now + self.buffer
            self.starts = max(self.starts, now - self.sent)  # it ran dry, and waited
            self.sent += len(message.pcm) / BYTES_PER_MS / 1000

    def played(self) -> float:
        """Seconds of the reply that came out of the loudspeaker."""
        return min(self.sent, max(0.0, asyncio.get_running_loop().time() - self.starts))


@dataclass
class Speech:
    """An answer whose words have known times: letters at a pace that varies, and the words are said in phrases."""

    random: Random
    phrases: list[tuple[str, float]] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        at = 0.0
        while len(self.ends) < 40:
            words = self.random.choices(WORDS, k=self.random.randint(1, 8))
            began = at
            for word in words:
                at += (len(word) + 1) * self.random.uniform(0.05, 0.08)
                self.ends.append(at)
            self.phrases.append((" ".join(words) + " ", at - began))

    def words_until(self, seconds: float) -> int:
        return sum(end <= seconds for end in self.ends)


@dataclass
class Call:
    """One caller, one answer, one barge-in."""

    scene: Scene
    random: Random
    ear: Ear

    def says(self, message: FromCaller) -> None:
        self.scene.session.tell(From(2, message))

    def pass_(self, seconds: float) -> None:
        """Time goes by, and the player reports how far it is: a little late, as a socket brings it."""
        stage, until = self.scene.stage, self.scene.stage.now + seconds
        while stage.now < until:
            stage.advance(min(until - stage.now, REPORT_SECONDS * self.random.uniform(0.8, 1.2)))
            if self.ear.response:
                self.says(Played(self.ear.response, int(self.ear.played() * 1000)))
                stage.advance(self.random.uniform(0, 0.05))

    def error(self) -> int:
        """So many words more, or fewer, are taken for heard than were played."""
        self.scene.session.tell(Attached(2, self.ear))
        self.says(Chose(TINA, "stream"))
        wire = self.scene.wire(1)
        wire.welcome()
        wire.answer(FOUR.get(TINA).greeting)
        self.scene.stage.advance(1)
        self.says(Typed("tell me"))
        begin(wire, "answer", asked(wire))
        speech, burst = Speech(self.random), self.random.random() < 0.5
        moment = self.random.uniform(0.2, 0.95 * speech.ends[-1])
        for words, seconds in speech.phrases:
            give(wire, "answer", words, seconds - 0.04)  # sound comes in pieces, and a phrase ends with silence
            give(wire, "answer", "", 0.04)
            if not burst:
                self.pass_(min(moment, 0.2))
                moment -= min(moment, 0.2)
        self.pass_(moment)
        self.ear.told.clear()
        played = speech.words_until(self.ear.played())
        wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
        self.scene.stage.settle()
        heard = [each.text for each in self.ear.told if isinstance(each, Transcript)]
        cleared = any(isinstance(each, Clear) for each in self.ear.told)
        self.scene.end()
        return len(heard[0].split()) - played if cleared else 0


def error(case: int) -> int:
    """One case of many; each is the same whenever it is run."""
    random = Random(f"heard {case}")
    with Stage(case) as stage:
        return Call(Scene(stage), random, Ear(random.choice([0.0, 0.1, 0.3, 1.0]))).error()


def distribution(cases: int) -> Counter[int]:
    """How often it was wrong by so many words."""
    return Counter(error(case) for case in range(cases))


def test_with_reports_the_words_that_were_heard_are_known_to_within_two() -> None:
    """Whatever the phone buffers, however the words differ, and wherever the caller interrupts."""
    wrong = distribution(CASES)
    assert max(abs(words) for words in wrong) <= 2, wrong
    assert wrong[0] > CASES / 2
