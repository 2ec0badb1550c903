"""The engine's own replies: two or three short sentences that acknowledge, comment, and ask one question.

They depend on the prompt and the turns alone. What was asked, answered and said before is read from the turns, so that
a session that is seeded with a history continues correctly. A reply has three parts (`Reply.compose`):

    _acknowledgement   repeats what the caller said, or names the topic
    _comment           one sentence on what such an astrologer would look at
    _question          the next fact of birth that is not known, else a question on the topic

A minor is asked for no facts of birth, and told of nothing but what moves young people (`_young`).

A phrase is not used twice in a call, as long as there are others (`_pick`).
"""

import datetime
import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from engine.mind.birth import FACTS, mentions, speaks_of_birth, told
from engine.mind.echo import echoed, is_question
from engine.mind.prompt import Prompt, spoken_language
from engine.mind.topics import data, does_not_know, stands_alone, topic_of
from upstream.facts import Turn

BLANK = re.compile(r"\{\w+\}")
WORD = re.compile(r"\S+")


def reply(prompt: Prompt, turns: Sequence[Turn]) -> str:
    """The reply to the turns; for a language other than English and Hindi, in the one that the caller writes like."""
    if prompt.goes_on and turns and turns[-1].role == "assistant":
        return _rest(prompt, turns)
    return Reply(prompt, turns).compose()


def rest_after(heard: str, whole: str) -> str | None:
    """The rest of a text after the words `heard`; None if these are not its beginning, or there are none.

    Words are compared by letters and digits only, as a transcript may change punctuation and case.
    """
    known = [word for word in map(_letters, heard.split()) if word]
    said = [(word, each.end()) for each in WORD.finditer(whole) if (word := _letters(each[0]))][: len(known)]
    if not said or [word for word, _ in said] != known:
        return None
    return whole[said[-1][1] :].strip()


@cache
def phrases(language: str) -> dict[str, Any]:
    """The phrases of a language; those of English if it has none."""
    name = "phrases_hi.json" if language == "hi" else "phrases_en.json"
    read: dict[str, Any] = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return read


class Reply:
    """Composes one reply. `turns` are all turns before it."""

    def __init__(self, prompt: Prompt, turns: Sequence[Turn]) -> None:
        self._prompt = prompt
        self._phrases = phrases(spoken_language(prompt, turns))
        self._heard = [turn.text for turn in turns if turn.role == "user"]
        self._told = prompt.told | self._facts_told(turns)
        mine = [turn.text for turn in turns if turn.role == "assistant"]
        self._said = "\n".join(mine)
        self._last_said = mine[-1] if mine else ""
        self._turn = len(mine)
        # An interrupted reply has no text in the turns: skip as many phrases, so that it is not begun again.
        self._lost = sum(not text for text in mine)
        self._about = self._topic()

    def compose(self) -> str:
        """The text of the reply."""
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
        if self._prompt.parts:
            return self._pick(self._phrases["young"]["parting"])
        if self._prompt.young:
            return self._young(text, topic)
        return " ".join((self._acknowledgement(text, topic), self._comment(), self._question(text)))

    def _young(self, text: str, topic: str | None) -> str:
        """For a minor: of school, family and health as to others, of everything else that there is time for it."""
        gentle = self._phrases["topics"][topic] if topic in data()["for_young"] else self._phrases["young"]
        return " ".join(
            (self._acknowledgement(text, topic), self._pick(gentle["says"]), self._pick(gentle["questions"]))
        )

    def _topic(self) -> str | None:
        """The topic of the call: the last one that was mentioned."""
        named = (topic_of(text) for text in reversed(self._heard))
        return next((topic for topic in named if topic and not stands_alone(topic)), None)

    def _today(self) -> str:
        """The date of the prompt, else of the machine, as it is spoken."""
        day = datetime.date.fromisoformat(self._prompt.today) if self._prompt.today else datetime.date.today()
        return f"{day.day} {self._phrases['months'][day.month - 1]} {day.year}"

    def _acknowledgement(self, text: str, topic: str | None) -> str:
        """Acknowledge what the caller said: by the words if they can be repeated, else by the topic."""
        asked, question = self._asked_in(self._last_said), is_question(text, self._phrases)
        tells = asked and mentions(text, asked) and not (asked == "place" and question)
        if asked and (tells or not (topic or question)):
            return self._noted(text, asked)
        words, options = echoed(text, self._phrases), self._phrases["understood"]
        if words:
            kind = "question" if is_question(text, self._phrases) else "statement"
            return self._pick(options[kind], words=words)
        if topic:
            return self._pick(options["topic"], topic=self._phrases["topics"][topic]["label"])
        return self._pick(options["unclear"])

    def _asked_in(self, said: str) -> str | None:
        """The fact of birth for which a reply asked, or None."""
        questions = self._phrases["questions"]
        return next((fact for fact in FACTS if any(each in said for each in questions[fact])), None)

    def _facts_told(self, turns: Sequence[Turn]) -> set[str]:
        """The facts of birth that the caller told: in answer to a question for one, or where they speak of a birth."""
        known, said = set[str](), ""
        for turn in turns:
            if turn.role == "assistant":
                said = turn.text
            elif turn.role == "user" and (self._asked_in(said) or speaks_of_birth(turn.text)):
                known |= told(turn.text)
        return known

    def _noted(self, text: str, asked: str) -> str:
        options = self._phrases["noted"]
        if does_not_know(text):
            return self._pick(options["unknown"])
        if told(text) > {asked}:
            return self._pick(
                options["several"], words=echoed(text, self._phrases) or self._phrases["facts"]["several"]
            )
        certain = asked == "place" or mentions(text, asked) or any(map(str.isdigit, text))
        words = echoed(text, self._phrases) or self._phrases["facts"][asked]
        return self._pick(options[asked if certain else "unsure"], words=words)

    def _comment(self) -> str:
        """One sentence on what such an astrologer looks at, without a claim."""
        own = self._phrases["topics"][self._about]["says"] if self._about else []
        speciality = topic_of(self._prompt.expertise.split(":")[0])
        kinds = self._phrases["specialities"]
        return self._pick([*own, *kinds.get(speciality, kinds["general"])])

    def _question(self, text: str) -> str:
        """The next question: the facts of birth first, each once, then about the topic."""
        questions = self._phrases["questions"]
        about = self._phrases["topics"][self._about]["questions"] if self._about else []
        if self._about is None and not echoed(text, self._phrases) and not self._asked_in(self._last_said):
            return self._pick(questions["any"])
        if self._about in data()["topic_first"] and any(each not in self._said for each in about):
            return self._pick(about)
        for fact in FACTS:
            if not self._is_known(fact):
                return self._pick(questions[fact])
        return self._pick([*about, *questions["any"]])

    def _is_known(self, fact: str) -> bool:
        """True if a fact of birth was asked for before (answered or not), or told by the caller."""
        return fact in self._told or any(each in self._said for each in self._phrases["questions"][fact])

    def _pick(self, options: Sequence[str], **blanks: str) -> str:
        """The first phrase that was not used in this call; if all were, by the number of the turn."""
        start = self._lost % len(options)
        fresh = [each for each in (*options[start:], *options[:start]) if _fixed(each) not in self._said]
        chosen = fresh[0] if fresh else options[self._turn % len(options)]
        return chosen.format(**blanks)


def _fixed(phrase: str) -> str:
    """The longest part of a phrase between its placeholders."""
    return max(BLANK.split(phrase), key=len)


def _rest(prompt: Prompt, turns: Sequence[Turn]) -> str:
    """The rest of the answer that the last turn began, or the last turns, if its continuation was interrupted too.

    The whole answer, if the turns are not its beginning; a closing phrase, if it was heard to its end.
    """
    start, heard = len(turns), ""
    while start and turns[start - 1].role == "assistant":
        start -= 1
        heard = f"{turns[start].text} {heard}"
        rest = rest_after(heard, Reply(prompt, turns[:start]).compose())
        if rest is not None:
            return rest if _letters(rest) else str(phrases(spoken_language(prompt, turns))["closing"])
    return Reply(prompt, turns[:-1]).compose()


def _letters(word: str) -> str:
    """A word reduced to letters, vowel signs and digits, without case."""
    return "".join(sign for sign in word.casefold() if unicodedata.category(sign)[0] in "LMN")
