"""A caller who does this and that, by chance, and then waits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from actors.messages.admission import Admitted, Connected, Detached, From
from actors.messages.caller import (
    Chose,
    ConfigAck,
    Error,
    FromCaller,
    HungUp,
    Interrupted,
    Malformed,
    Mode,
    Pinged,
    Played,
    Recorded,
    ResponseStarted,
    Spoke,
    ToCaller,
    Typed,
)
from actors.messages.identity import Identity
from actors.runtime import Ref
from care import Kind
from personas import Profile
from tests.simulation.care import SIGNS
from tests.simulation.ear import Ear
from tests.simulation.network import Network
from tests.simulation.patience import Patience
from tests.simulation.sound import LOUD, Word, silence
from tests.simulation.till import Till
from tests.simulation.world import PERSONAS, VOICES, World

OTHER: dict[Mode, Mode] = {"clip": "stream", "stream": "clip"}
SILENCE_MS = 800  # after what was spoken, so that its end is heard
PIECES_MS = (40, 100, 200)
PROFILES = (Profile(name="Asha"), Profile(name="Usha"))


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller said, to whom, how, and when it was all said."""

    words: tuple[str, ...]
    to: str
    kind: str
    at: float


@dataclass(eq=False)
class Caller:
    """One call. It acts until it has acted `acts` times, and then stays on the line, or leaves."""

    world: World
    call: int
    user: str
    supervisor: Ref[Any]
    ear: Ear
    acts: int
    mode: Mode
    habits: dict[str, int]
    session: Any = None
    wish: str = ""
    said: list[Said] = field(default_factory=list)
    did: list[tuple[float, str]] = field(default_factory=list)
    gone: bool = False
    finished: bool = False
    speaking: bool = False
    bombed: bool = False
    words: int = 0
    spoke_at: float = -1.0
    signs: tuple[Kind, ...] = ()  # what they say of a danger, now and then
    mode_before: Mode = "clip"  # to whoever was acknowledged last

    network: Network | None = None  # of a caller who may come back
    garbled: bool = False  # what they spoke last may be lost, or cut, because their line was

    looks: asyncio.TimerHandle = field(init=False)
    till: Till = field(init=False)

    def __post_init__(self) -> None:
        self.fears = Random(f"care {self.world.seed} {self.call}")  # of its own, so that the rest is as without it
        self.patience = Patience(self.world, self.ear.name)
        self.till = Till(self.world, self.ear.name, self.ear.player)

    def tell(self, message: ToCaller | Admitted) -> None:
        """Being an outbox: hear it."""
        if isinstance(message, Admitted):
            self.session = message.session
            return
        self.world.note(f"<= {self.ear.name}", message)
        if not self.network:
            self.ear.care.told(message)
            self.till.told(message)
            self.till.hears(message)
        self.patience.hears(message)
        self.ear.hear(message)
        if isinstance(message, ConfigAck):
            self.mode_before = self.mode
        elif isinstance(message, Error) and message.code == "persona_switch_failed":
            self.mode = self.mode_before
        if self.ear.closed:
            self.world.after(self.world.random.choice([0.0, 0.05]), self.leave)

    def connect(self) -> None:
        self.world.note(self.ear.name, f"{self.user} calls")
        self._look()
        if self.network:
            self.network.connect()
        else:
            self.supervisor.tell(Connected(Identity(self.user), self.call, self))
        self._soon(self._act)

    def leave(self) -> None:
        """The connection is gone."""
        if not self.gone:
            self.gone = self.finished = True
            self.looks.cancel()
            self.world.note(self.ear.name, "is gone")
            if self.session and not self.network:
                self.till.over()
                self.session.tell(Detached(self.call))
            elif self.session and self.network:
                self.network.hang_up()

    def vanish(self) -> None:
        """The call is over, and they learn it late."""
        self.gone = self.finished = True
        self.looks.cancel()

    def _look(self) -> None:
        """Have they been left waiting?"""
        self.patience.check()
        self.looks = asyncio.get_running_loop().call_later(1.0, self._look)

    def say(self, message: FromCaller) -> None:
        if self.session and not self.gone:
            self.world.note(f"=> {self.ear.name}", message)
            self.patience.says(message, self.mode, self.network is None or self.network.up)
            if self.network:
                self.network.say(message)
            else:
                self.ear.care.comes(message)
                self.session.tell(From(self.call, message))

    def _soon(self, do: Callable[[], None]) -> None:
        self.world.after(self.world.random.choice([0.0, 0.01, 0.3, 1.0, 3.0]), do)

    # What it does.

    def _act(self) -> None:
        if self.gone:
            return
        if not self.acts:
            self.finished = not self.speaking
            if not self.finished:
                self._soon(self._act)
            return
        self.acts -= 1
        random = self.world.random
        if not self.wish and random.random() < 0.9:
            habit = "choose"
        else:
            habit = random.choices(list(self.habits), list(self.habits.values()))[0]
        getattr(self, f"_{habit}")()
        self._soon(self._act)

    def _did(self, what: str) -> None:
        self.did.append((self.world.now, what))

    def _choose(self) -> None:
        random = self.world.random
        wish = random.choice([*PERSONAS, *PERSONAS, self.wish or "nobody", "nobody"])
        mode = random.choice([None, None, self.mode, OTHER[self.mode]])
        if mode == OTHER[self.mode]:
            self._did("changed")
        self.choose(wish, mode)
        if mode and wish in VOICES:
            self.mode = mode

    def choose(self, wish: str, mode: Mode | None = None) -> None:
        """Ask for this persona, whose greeting may be heard once more."""
        if wish in VOICES and wish != self.wish:
            voice = VOICES[wish]
            self.ear.greetings[voice] = self.ear.greetings.get(voice, 0) + 1
        if wish != self.wish:
            self._did("chose" if wish in VOICES and self.wish != "nobody" else "chose nobody")
        self.wish = wish
        told = (None, None, *PROFILES)[self.acts % 4]
        self.say(Chose(wish, mode, told, resumable=self.network is not None))

    def _change(self) -> None:
        self._did("changed")
        if self.wish:
            self.say(Chose(self.wish, OTHER[self.mode]))
        if self.wish in VOICES:
            self.mode = OTHER[self.mode]

    def _utter(self, kind: str) -> tuple[str, ...]:
        words = []
        for _ in range(self.world.random.choice([1, 1, 2, 4])):
            self.words += 1
            words.append(f"{chr(ord('a') + self.call - 1)}{self.words}{self._sign()}")
        if kind == "stream":
            self.world.streamed.update(words)
        self.said.append(Said(tuple(words), self.wish, kind, self.world.now))
        return tuple(words)

    def _sign(self) -> str:
        """What they say of a danger, now and then."""
        if not self.signs or self.fears.random() > 0.15:
            return ""
        return f"-{SIGNS[self.fears.choice(self.signs)]}"

    def _sound(self, words: tuple[str, ...]) -> bytes:
        return b"".join(self.world.sounds.speak(Word(word, self.call), LOUD) for word in words)

    def _speak(self) -> None:
        self.speak()

    def speak(self) -> None:
        """Say something aloud, in the way of this call."""
        if self.mode == "clip":
            self._did("recorded")
            self.say(Recorded(self._sound(self._utter("clip")) + silence(100)))
        elif not self.speaking:
            self.speaking = True
            self._did("spoke")
            self._stream(self._sound(self._utter("stream")) + silence(SILENCE_MS))

    def _stream(self, pcm: bytes) -> None:
        """In real time, piece by piece."""
        if self.gone:
            return
        ms = self.world.random.choice(PIECES_MS)
        self.say(Spoke(pcm[: ms * 48]))
        self.spoke_at = self.world.now
        if rest := pcm[ms * 48 :]:
            self.world.after(ms / 1000, self._stream, rest)
        else:
            self.speaking = False

    def _type(self) -> None:
        self._did("typed")
        self.say(Typed(" ".join(self._utter("text"))))

    def _interrupt(self) -> None:
        self._did("interrupted")
        self.say(Interrupted())

    def _play(self) -> None:
        """The player reports how far it is; a bad one reports anything."""
        responses = [each.response_id for _, each in self.ear.told if isinstance(each, ResponseStarted)]
        if responses:
            ms, less = (
                self.ear.player.played_ms(responses[-1], self.world.now),
                self.world.random.choice([0, 0, 30, 100]),
            )
            self.ear.care.doubted |= {responses[-1]} if less else set()
            self.say(Played(responses[-1], max(0, ms - less)))

    def _ping(self) -> None:
        pings: list[FromCaller] = [Pinged(), Pinged(), Malformed("bad_json", "what?")]
        self.say(self.world.random.choice(pings))

    def _wait(self) -> None:
        """Nothing, for once."""

    def _hang_up(self) -> None:
        self.acts = 0
        self._did("left")
        if self.world.random.random() < 0.5:
            self.say(HungUp())
        else:
            self.leave()
