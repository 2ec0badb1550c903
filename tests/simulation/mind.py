"""The simulated mind names what it heard, and its voice says whose every millisecond is."""

from math import inf

from engine.mind.prompt import parse_prompt
from realtime.server.acts import Speak
from tests.simulation.sound import BYTES_PER_MS, Word
from tests.simulation.world import GREETINGS, World
from upstream.facts import Turn


def answer(world: World, instructions: str, turns: tuple[Turn, ...]) -> str:
    """The words demanded, the rest of an answer, or a new one that remembers which of the caller's words it knew."""
    prompt = parse_prompt(instructions)
    if prompt.exactly is not None:
        return prompt.exactly
    if prompt.goes_on and (rest := _rest(world, turns)):
        return " ".join(rest)
    known = frozenset(word for turn in turns if turn.role == "user" for word in turn.text.split())
    return " ".join(world.answer(world.random.randint(1, 9), known).words)


def _rest(world: World, turns: tuple[Turn, ...]) -> list[str]:
    """The words that follow those of the last assistant's turn."""
    said = next((turn.text.split() for turn in reversed(turns) if turn.role == "assistant" and turn.text), None)
    begun = world.answers.get(said[-1][0]) if said else None
    return list(begun.words[begun.words.index(said[-1]) + 1 :]) if begun and said else []


STALLS = (1.9, 3.0, 3.0, 5.0, 12.0, inf)  # seconds: of the last four the caller is to hear the rest elsewhere


class Speech:
    """The voice at one response: some words, then their sound; `pace` is the seconds from one piece to the next."""

    def __init__(self, world: World, link: int, work: Speak) -> None:
        self.response = work.response_id
        self.pace = world.random.choice([0.0, 0.02, 0.1, 0.3])  # for 100 to 600 ms of sound
        self._world, self._link, self._voice = world, link, work.voice
        self._words = self._read(work.text.split())
        self.names = {word.answer for word in self._words}
        self._rest = b""
        self._stalled = False

    def pause(self) -> float:
        """Seconds until the next piece. Now and then it falls silent, and goes on by itself, too late, or never."""
        seconds = self.pace * self._world.random.uniform(0.5, 1.5)
        if not self._stalled and not self._world.healed and self._world.chance(self._world.weather.stall / 3):
            self._stalled = True
            seconds += self._world.random.choice(STALLS)
            self._world.note(f"link {self._link}", f"says nothing more of {self.response} for {seconds:.1f} s")
        return seconds

    def next(self) -> tuple[str, bytes] | None:
        """Words and the sound that follows them, either may be empty; None at the end."""
        if self._rest:
            pcm, self._rest = self._rest, b""
            return "", pcm
        if not self._words:
            return None
        count = self._world.random.choice([1, 1, 2, 3])
        said, self._words = self._words[:count], self._words[count:]
        pcm = b"".join(map(self._world.sounds.speak, said))
        at = self._world.random.choice([len(pcm), 70 * BYTES_PER_MS])
        self._rest = pcm[at:]
        return " ".join(word.text for word in said) + " ", pcm[:at]

    def _read(self, words: list[str]) -> list[Word]:
        """Whose words these are: what must be said exactly, or the rest of it, or an answer."""
        greeting = {f"greeting {self._voice}": GREETINGS[self._voice]}
        fixed = {name: [(name, words)] for name, words in (self._world.fixed | greeting).items()}
        first = [(name, said) for name, [(_, said)] in fixed.items() if name == f"disclosure {self._voice}"]
        for parts in ([*first, *greeting.items()], *fixed.values()):
            whole = [(name, index, word) for name, said in parts for index, word in enumerate(said)]
            if words == [word for _, _, word in whole[-len(words) :]]:
                named = whole[-len(words) :]
                return [Word(text, self._link, self._voice, name, index) for name, index, text in named]
        return [Word(text, self._link, self._voice, text[0], ord(text[1]) - ord("a")) for text in words]
