"""The mind's own words: two or three short sentences that say back, look, and ask one thing.

They follow from the prompt and the turns alone: what was asked, answered and said before is read from the
conversation itself, so a session that is seeded with a history goes on where it stood.
"""

import datetime
import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from engine.mind.echo import is_question, said_back
from engine.mind.reading import Prompt, spoken_language
from engine.mind.topics import data, does_not_know, speaks_of_birth, stands_alone, tells, topic_of
from upstream.facts import Turn

FACTS = ("date", "time", "place")  # of birth, in the order in which they are asked
BLANK = re.compile(r"\{\w+\}")
WORD = re.compile(r"\S+")


def reply(prompt: Prompt, turns: Sequence[Turn]) -> str:
    """What to say next; English for every language but Hindi."""
    if prompt.goes_on and turns and turns[-1].role == "assistant":
        return _rest(prompt, turns)
    return Reply(prompt, turns).compose()


def after(heard: str, whole: str) -> str | None:
    """What follows the words that were heard of a text; None when they are not its beginning, or none were heard.

    Words are compared by their letters and digits: what a transcript does to marks and capitals does not matter.
    """
    known = [word for word in map(_letters, heard.split()) if word]
    said = [(word, each.end()) for each in WORD.finditer(whole) if (word := _letters(each[0]))][: len(known)]
    if not said or [word for word, _ in said] != known:
        return None
    return whole[said[-1][1] :].strip()


@cache
def phrases(language: str) -> dict[str, Any]:
    """The phrases of a language, those of English when it has none."""
    name = "phrases_hi.json" if language == "hi" else "phrases_en.json"
    read: dict[str, Any] = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return read


class Reply:
    """One reply in the making."""

    def __init__(self, prompt: Prompt, turns: Sequence[Turn]) -> None:
        self._prompt = prompt
        self._phrases = phrases(spoken_language(prompt, turns))
        self._heard = [turn.text for turn in turns if turn.role == "user"]
        mine = [turn.text for turn in turns if turn.role == "assistant"]
        self._said = "\n".join(mine)
        self._last_said = mine[-1] if mine else ""
        self._turn = len(mine)
        # A reply that was cut short lost its words: move on by one, so as not to begin with them again.
        self._lost = sum(not text for text in mine)
        self._about = self._topic()

    def compose(self) -> str:
        if not self._heard:
            return self._pick(self._phrases["opening"])
        text = self._heard[-1]
        if not text.strip():
            return self._pick(self._phrases["again"])
        topic = topic_of(text)
        if topic == "today":
            return self._pick(self._phrases["alone"][topic], today=self._today())
        if topic and stands_alone(topic):
            return self._pick(self._phrases["alone"][topic])
        return " ".join((self._understood(text, topic), self._look(), self._question(text)))

    def _topic(self) -> str | None:
        """What the call is about: the last topic that was named."""
        named = (topic_of(text) for text in reversed(self._heard))
        return next((topic for topic in named if topic and not stands_alone(topic)), None)

    def _today(self) -> str:
        """The prompt's date, else the machine's, as it is said."""
        day = datetime.date.fromisoformat(self._prompt.today) if self._prompt.today else datetime.date.today()
        return f"{day.day} {self._phrases['months'][day.month - 1]} {day.year}"

    def _understood(self, text: str, topic: str | None) -> str:
        """Say back what was understood: the words where that is safe, else the topic."""
        asked = self._asked()
        if asked and (tells(text, asked) or not (topic or is_question(text, self._phrases))):
            return self._noted(text, asked)
        words, options = said_back(text, self._phrases), self._phrases["understood"]
        if words:
            kind = "question" if is_question(text, self._phrases) else "statement"
            return self._pick(options[kind], words=words)
        if topic:
            return self._pick(options["topic"], topic=self._phrases["topics"][topic]["label"])
        return self._pick(options["unclear"])

    def _asked(self) -> str | None:
        """The fact of birth that was asked last."""
        questions = self._phrases["questions"]
        return next((fact for fact in FACTS if any(each in self._last_said for each in questions[fact])), None)

    def _noted(self, text: str, asked: str) -> str:
        options = self._phrases["noted"]
        if does_not_know(text):
            return self._pick(options["unknown"])
        certain = asked == "place" or tells(text, asked) or any(map(str.isdigit, text))
        words = said_back(text, self._phrases) or self._phrases["facts"][asked]
        return self._pick(options[asked if certain else "unsure"], words=words)

    def _look(self) -> str:
        """One honest sentence: what such an astrologer looks at."""
        own = self._phrases["topics"][self._about]["says"] if self._about else []
        speciality = topic_of(self._prompt.expertise.split(":")[0])
        kinds = self._phrases["specialities"]
        return self._pick([*own, *kinds.get(speciality, kinds["general"])])

    def _question(self, text: str) -> str:
        """The one thing to ask next: the facts of birth first, each once, then about the topic."""
        questions = self._phrases["questions"]
        about = self._phrases["topics"][self._about]["questions"] if self._about else []
        if self._about is None and not said_back(text, self._phrases) and not self._asked():
            return self._pick(questions["any"])
        if self._about in data()["topic_first"] and any(each not in self._said for each in about):
            return self._pick(about)
        for fact in FACTS:
            if not self._is_known(fact):
                return self._pick(questions[fact])
        return self._pick([*about, *questions["any"]])

    def _is_known(self, fact: str) -> bool:
        """Asked before, answered or not, or told unasked."""
        return any(each in self._said for each in self._phrases["questions"][fact]) or any(
            speaks_of_birth(text) and tells(text, fact) for text in self._heard
        )

    def _pick(self, options: Sequence[str], **blanks: str) -> str:
        """The first phrase that was not said in this call; when all were, they come round again."""
        start = self._lost % len(options)
        fresh = [each for each in (*options[start:], *options[:start]) if _fixed(each) not in self._said]
        chosen = fresh[0] if fresh else options[self._turn % len(options)]
        return chosen.format(**blanks)


def _fixed(phrase: str) -> str:
    """The longest stretch of a phrase that has no blank in it."""
    return max(BLANK.split(phrase), key=len)


def _rest(prompt: Prompt, turns: Sequence[Turn]) -> str:
    """The rest of the answer that the last turns began: one of them, or more when the rest was cut off as well.

    All of the answer when they did not begin it; when it was heard to its end, a word to close with.
    """
    start, heard = len(turns), ""
    while start and turns[start - 1].role == "assistant":
        start -= 1
        heard = f"{turns[start].text} {heard}"
        rest = after(heard, Reply(prompt, turns[:start]).compose())
        if rest is not None:
            return rest if _letters(rest) else str(phrases(spoken_language(prompt, turns))["closing"])
    return Reply(prompt, turns[:-1]).compose()


def _letters(word: str) -> str:
    """Only what makes it that word: letters, the vowel signs of Hindi, digits."""
    return "".join(sign for sign in word.casefold() if unicodedata.category(sign)[0] in "LMN")
