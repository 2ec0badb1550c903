"""Where the time of a call goes, for whoever traces it: a span for each choice, connection, greeting and turn.

    call ─┬─ choose    from the choice to the persona on the line, or to the refusal
          ├─ connect   from dialling the model to a connection that may serve
          ├─ greet     from asking for the greeting, with the phases of its sound
          └─ turn      from the end of what the caller said, with the phases of phases.py

The session's clock, in seconds. Told a few times in a turn, never for a frame. A span is handed on when it is over, and
a turn whose answer nobody heard when the call is. No words, no prompts; who calls is told by a pseudonym.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.messages.ids import ChoiceId, Generation
from actors.services import Services
from tracing.port import CallSpans, Fact, Span
from upstream.facts import TurnId

MOST_OPEN = 32  # turns, choices and connections of a call that are not over; of more the oldest is handed on
SOUND = "first_audio"
LAST = "released"
ON_THE_LINE = "on the line"
FAULTS = (1011, 4500, 4503)  # close codes of calls that failed on our side


class Trace:
    """The trace of a call that nobody traces: nothing is kept."""

    def chose(self, choice: ChoiceId, now: float) -> None:
        """The caller has asked for a persona."""

    def chosen(self, choice: ChoiceId, outcome: str, persona: str, now: float) -> None:
        """What became of a choice; one that is not open is passed over. `persona` is an id, empty if there is none."""

    def dialled(self, generation: Generation, now: float) -> None:
        """A connection to the model is being opened."""

    def connected(self, generation: Generation, outcome: str, now: float) -> None:
        """What became of that; a connection that was ready before is passed over."""

    def greets(self, turn: TurnId, now: float) -> None:
        """The model was asked for the greeting; `turn` is its place among the turns."""

    def asked(self, turn: TurnId, now: float, late: float | None = None) -> None:
        """A turn is the model's to answer. `late`: so long ago the caller stopped speaking, as the model says."""

    def reached(self, turn: TurnId, phase: str, now: float) -> None:
        """The answer to a turn, or a greeting, has come so far. A phase counts once."""

    def end(self, now: float, code: int) -> None:
        """The call is over, with this close code."""


@dataclass(slots=True)
class _Open:
    """A span that is not over: `at` is when its last part ended."""

    name: str
    began: float
    at: float
    facts: dict[str, Fact]
    parts: list[Span] = field(default_factory=list)

    def has(self, phase: str) -> bool:
        return any(part.name == phase for part in self.parts)


class CallTrace(Trace):
    """The trace of a call, told to the spans of a tracer as it comes; `facts` are those of the whole call."""

    def __init__(self, spans: CallSpans, began: float, facts: Mapping[str, Fact]) -> None:
        self._spans, self._began, self._facts = spans, began, facts
        self._open: dict[tuple[str, int], _Open] = {}

    def chose(self, choice: ChoiceId, now: float) -> None:
        self._begin("choose", choice, now, {"voice.choice": choice})

    def chosen(self, choice: ChoiceId, outcome: str, persona: str, now: float) -> None:
        facts: dict[str, Fact] = {"voice.persona": persona} if persona else {}
        self._over("choose", choice, now, {"voice.outcome": outcome, **facts})
        if outcome == ON_THE_LINE:
            for name, number in [key for key in self._open if key[0] == "choose" and key[1] < choice]:
                self._over(name, number, now, {"voice.outcome": "replaced by a newer choice"})

    def dialled(self, generation: Generation, now: float) -> None:
        self._begin("connect", generation, now, {"voice.generation": generation})

    def connected(self, generation: Generation, outcome: str, now: float) -> None:
        self._over("connect", generation, now, {"voice.outcome": outcome}, failed=outcome == "lost")

    def greets(self, turn: TurnId, now: float) -> None:
        if ("greet", turn) not in self._open:  # a lost connection may have begun it
            self._begin("greet", turn, now, {"voice.turn": turn})

    def asked(self, turn: TurnId, now: float, late: float | None = None) -> None:
        self._hand_on_the_heard()
        if ("turn", turn) not in self._open:
            began = now - (late or 0.0)
            opened = self._begin("turn", turn, began, {"voice.turn": turn})
            if late is not None:
                opened.parts.append(Span("heard", began, now))
                opened.at = now

    def reached(self, turn: TurnId, phase: str, now: float) -> None:
        key = ("turn", turn) if ("turn", turn) in self._open else ("greet", turn)
        opened = self._open.get(key)
        if opened is None or opened.has(phase):
            return
        opened.parts.append(Span(phase, opened.at, now))
        opened.at = now
        if phase == LAST:
            self._over(*key, now, {})

    def end(self, now: float, code: int) -> None:
        for name, number in list(self._open):
            self._over(name, number, now, {"voice.outcome": "the call ended"})
        facts = {**self._facts, "voice.code": code}
        self._spans.end(Span("call", self._began, now, facts, failed=code in FAULTS))

    def _begin(self, name: str, number: int, began: float, facts: dict[str, Fact]) -> _Open:
        opened = self._open[name, number] = _Open(name, began, began, facts)
        if len(self._open) > MOST_OPEN:
            self._over(*next(iter(self._open)), began, {"voice.outcome": "forgotten"})
        return opened

    def _over(self, name: str, number: int, now: float, facts: Mapping[str, Fact], failed: bool = False) -> None:
        """A turn with sound ended when its last part did, however late that is noticed."""
        if opened := self._open.pop((name, number), None):
            heard = opened.has(SOUND)
            told = opened.facts if heard else {**opened.facts, **facts}
            ended = opened.at if heard else max(now, opened.began)
            self._spans.add(Span(name, opened.began, ended, told, tuple(opened.parts), failed))

    def _hand_on_the_heard(self) -> None:
        """What is answered by sound is over when something else is asked: a whole reply is not released by pieces."""
        for (name, number), opened in list(self._open.items()):
            if opened.has(SOUND):
                self._over(name, number, opened.at, {})


UNTRACED = Trace()


def trace_of(services: Services, call: str, user: str, now: float) -> Trace:
    """The trace of a call that begins now; one that keeps nothing if nobody traces."""
    if services.tracer is None:
        return UNTRACED
    facts = {"voice.session": call, "voice.user": services.pseudonym(user)}
    return CallTrace(services.tracer.call(now), now, facts)
