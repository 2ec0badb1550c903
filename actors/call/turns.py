"""The order of what a caller says: numbered on arrival, asked in that order, kept until it is answered."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from actors.admission.waiting import Parcel
from actors.messages.ids import ChoiceId
from upstream.facts import NO_TURN, TurnId

MOST_WAITING = 8  # clips and typed turns of one caller that are not asked yet
MOST_ASKED = 4  # that the upstream has and has not answered; then the next one waits
DIED, DIED_ANSWERING = 2, 1  # the blame of a turn for a connection that died with it: less if it had begun to answer
MOST_BLAME = 2 * DIED  # then connections die of this turn: it is not asked again


@dataclass(frozen=True, slots=True)
class Written:
    """An answer that came in writing: its words, its id on the caller's wire, and how often it has come so."""

    words: str
    id: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Utterance:
    """A clip, a typed turn or one of a stream on its way to an answer.

    `choice` is the persona it was meant for, `arrived` seconds on the session's clock, `content` PCM16 24 kHz mono
    or text, None while a clip is being decoded, and of a stream until it is written down. `clip`: it came as one;
    `spoken`: it came in a stream.
    `asked`: an upstream connection has it. `again`: what was spoken is told it in words, once the answer to another has
    ended; nothing that was said later may be heard before. `cancelled`: something was said after it, and no answer to
    it alone is wanted. `behind`: the number of a spoken turn that was told of late, and came before this one.
    `said_before` is what a lost connection said in answer. `counted`: as what a clip is counted while it waits.
    `blame`: for the connections that died while they had it. `written`: what is to be said of it.
    """

    number: TurnId
    choice: ChoiceId
    arrived: float
    content: bytes | str | None = None
    clip: bool = False
    spoken: bool = False
    asked: bool = False
    again: bool = False
    cancelled: bool = False
    behind: TurnId = NO_TURN
    said_before: str = ""
    blame: int = 0
    written: Written | None = None
    counted: Parcel | None = None

    @property
    def place(self) -> tuple[int, bool]:
        """Its place in the order: the answer to a turn also answers every turn with a lower one."""
        return max(self.number, self.behind), self.behind > self.number


class TurnOrder:
    """What was said and is not answered yet, by number."""

    def __init__(self) -> None:
        self._waiting: dict[TurnId, Utterance] = {}
        self.last = NO_TURN  # the newest number

    def __iter__(self) -> Iterator[Utterance]:
        return iter(list(self._waiting.values()))

    def number(self) -> TurnId:
        """The next number, for something that takes its place in the order."""
        self.last = TurnId(self.last + 1)
        return self.last

    @property
    def waiting(self) -> bool:
        """True if something was said and is not answered."""
        return bool(self._waiting)

    @property
    def under_way(self) -> bool:
        """True if an upstream connection has a turn that is not answered, also if no answer is wanted any more."""
        return any(said.asked for said in self)

    @property
    def full(self) -> bool:
        """True if no more turns can wait to be asked."""
        return sum(not said.asked for said in self) >= MOST_WAITING

    @property
    def heard_before(self) -> bool:
        """True if a turn waits that a lost connection heard in a stream: what is said now comes behind it."""
        return any(said.again or (said.spoken and not said.asked) for said in self)

    def known(self, ask: TurnId) -> None:
        """The upstream answers this one: it has all that was said before."""
        for said in self:
            if said.again and said.number <= ask:
                self.change(said.number, again=False)

    def arrive(self, choice: ChoiceId, now: float, text: str | None = None, counted: Parcel | None = None) -> Utterance:
        """Take a place in the order: a typed turn with its text, a clip without."""
        said = Utterance(self.number(), choice, now, text, clip=text is None, counted=counted)
        self._waiting[said.number] = said
        return said

    def adopt(self, said: Utterance) -> None:
        """A turn comes from elsewhere, with its number."""
        self._waiting[said.number] = said

    def commit(self, number: TurnId, choice: ChoiceId, now: float, blame: int = 0) -> None:
        """The upstream heard this turn in a stream, and will answer it."""
        self._waiting[number] = Utterance(number, choice, now, spoken=True, asked=True, blame=blame)

    def get(self, number: TurnId) -> Utterance | None:
        """The turn of this number, if it is not answered yet."""
        return self._waiting.get(number)

    def before(self, ask: TurnId) -> list[Utterance]:
        """The turns asked before `ask`, in the order of the upstream: an answer to that answers these as well."""
        place = self._waiting[ask].place if ask in self._waiting else (ask, False)
        return [said for said in self if said.asked and said.place < place]

    def change(self, number: TurnId, **facts: object) -> None:
        """Set these fields of an utterance, if it is still there."""
        if said := self._waiting.get(number):
            self._waiting[number] = replace(said, **facts)  # type: ignore[arg-type]

    def forget(self, number: TurnId) -> None:
        """It is answered, or never will be."""
        if (said := self._waiting.pop(number, None)) and said.counted:
            said.counted.release()

    def next(self, choice: ChoiceId) -> Utterance | None:
        """The turn to ask now: the first that is not asked, if it is decoded and meant for this choice.

        None while MOST_ASKED are being answered.
        """
        if sum(said.asked for said in self) >= MOST_ASKED:
            return None
        for said in self._waiting.values():
            if not said.asked:
                ready = said.said_before or said.written or said.content is not None
                return said if ready and said.choice == choice else None
        return None

    def retag(self, refused: ChoiceId, choice: ChoiceId) -> None:
        """A choice was refused: what was said to it is meant for the choice before."""
        for said in self:
            if said.choice == refused:
                self.change(said.number, choice=choice)
