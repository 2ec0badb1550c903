"""What was asked of the connection that serves and is not answered, and so what the caller waits for."""

from collections import Counter
from collections.abc import Collection, Mapping

from actors.call.connection import Caller
from actors.call.greeting import Greetings
from actors.call.inbound import Inbound
from actors.call.line import Leg
from actors.call.outbound import Coming, Outbound
from actors.call.turns import DIED, DIED_ANSWERING, MOST_BLAME, Utterance, Written
from actors.call.watch import ABOUT_TO_RUN_DRY, For, Waiting
from actors.messages.bridge import AskClip, AskText, CancelReply, ContinueReply, Greet, TruncateReply
from actors.messages.caller import Error, Notice
from actors.messages.ids import Generation
from upstream.facts import NO_TURN, ReplyNumber, Turn, TurnId

SPOKEN = "You have said aloud: "
DROPPED = Notice("say_again", "The model breaks off over what you said: say it again in other words.")
UNGREETED = Error("upstream_unavailable", "The model breaks off over its greeting: say what you want to know.")
UNSPOKEN = Error("upstream_unavailable", "The model gave this answer in writing only: there is no sound of it.")

FOREIGN = "The model does not serve this language: type, or choose another persona."


class Owed:
    """Asks are told apart by their numbers. `tally` counts, among others, the answers that came to an end."""

    def __init__(
        self, caller: Caller, inbound: Inbound, outbound: Outbound, greetings: Greetings, tally: Counter[str]
    ) -> None:
        self._caller, self._tally = caller, tally
        self._outbound, self._greetings = outbound, greetings
        self._turns, self._stream, self._words = inbound.turns, inbound.stream, inbound.words
        self._taken_back: dict[TurnId, int] = {}  # typed turn that only the memory has, no answer since -> its blame
        self._put_off: dict[TurnId, float] = {}  # ask -> for how many seconds in all the upstream had no time for it
        self._writes = False  # answers came in writing, and another connection was opened because of that
        self._mute = Generation(0)  # the connection that has written an answer also when it was to say it
        self._dropped: tuple[Generation, TurnId] | None = None  # the upstream has cancelled the answer to this ask
        self._taken_up = False  # it has begun another by itself
        self._ended = 0  # asks that came to an end of any kind: a turn that replaces another waits no longer

    @property
    def answers(self) -> int:
        """How many replies came to an end: were made, or interrupted."""
        return self._tally["replies"] + self._tally["interrupted"]

    def asks(self) -> list[TurnId]:
        """The asks that are not answered, with the turn that is about to be one because the caller has stopped."""
        asked = [said.number for said in self._turns if said.asked and not said.cancelled]
        if (greeting := self._greetings.owed) and greeting.asked:
            asked.append(greeting.number)
        if self._stream.stopped:
            asked.append(self._stream.speaking)
        return asked

    def waits(self, leg: Leg) -> list[Waiting]:
        """What the caller waits for from this connection."""
        answers = self.answers
        waits = [] if leg.ready else [Waiting(For.CONSENT, leg.generation)]
        if self._stream.unheard:
            waits.append(Waiting(For.WORDS, leg.generation))
        if self._mute == leg.generation:
            waits.append(Waiting(For.SOUND, leg.generation))
        if self._stream.hangs:
            waits.append(Waiting(For.PAUSE, (leg.generation, self._stream.speaking)))
        if come := self._outbound.come(leg.generation):
            return [*waits, *_rest((leg.generation, come.reply), come, answers)]
        if asked := self.asks():
            longer = max((self._put_off.get(ask, 0.0) for ask in asked), default=0.0)
            about = (leg.generation, self._ended)
            if self._dropped in [(leg.generation, ask) for ask in asked]:
                return [*waits, Waiting(For.ANOTHER if self._taken_up else For.NO_OTHER, about)]
            return [*waits, Waiting(For.LATER if longer else For.ANSWER, about, None, longer, answers)]
        if self._turns.waiting or self._stream.speaking:
            return waits
        if self._greetings.insisted.waits_for_pause:
            waits.append(Waiting(For.LULL, answers, earliest=self._outbound.playing.until))
        elif self._greetings.insisted.rests:
            waits.append(Waiting(For.UNSAID, (leg.generation, self._ended)))
        return waits

    def ask(self, live: Leg, said: Utterance, now: float) -> None:
        """Have this connection answer a turn, or go on with the answer that a lost one began."""
        if not live.bridge:
            return
        again = said.spoken and not said.said_before and self._turns.under_way
        self._turns.change(said.number, asked=True, again=again)
        self._outbound.phases.asked(said.number, now)
        if said.said_before:
            live.bridge.tell(ContinueReply(said.number))
        elif said.written:
            live.bridge.tell(Greet(said.number, said.written.words))
        elif isinstance(said.content, bytes):
            live.bridge.tell(AskClip(said.number, said.content))
            self._words.expect(said.number, now)
        elif said.content is not None:
            live.bridge.tell(AskText(said.number, said.content))
            self._words.remember(live, said.number, said.content)

    def take_back(self) -> None:
        """The caller wants no answer to what was asked. What was typed is remembered all the same."""
        asked = (said for said in self._turns if said.asked and isinstance(said.content, str))
        self._taken_back.update({said.number: said.blame for said in asked})

    def put_off(self, ask: TurnId, seconds: float) -> None:
        """The upstream has no time for this ask, for so many seconds more."""
        self._put_off[ask] = self._put_off.get(ask, 0.0) + seconds

    def was_cancelled(self, live: Leg, ask: TurnId) -> None:
        """The upstream has cancelled the answer to this ask, and nobody here did: perhaps it begins another."""
        self._dropped, self._taken_up = (live.generation, ask), False

    def began(self, live: Leg, ask: TurnId) -> None:
        """An answer has begun: it is also one to what was asked before."""
        self._turns.known(ask)
        self._taken_up = self._dropped is not None and self._dropped[0] == live.generation

    def came_in_writing(self, live: Leg, ask: TurnId, reply: ReplyNumber, words: str) -> None:
        """The answer to this ask has no sound: it is asked for in sound, here once, then on another connection once."""
        greeting = self._greetings.owed if self._greetings.owed and self._greetings.owed.number == ask else None
        said = self._turns.get(ask)
        before = greeting.written if greeting else said.written if said else None
        times = before.times + 1 if before else 1
        written = Written(before.words, before.id, times) if before else Written(words, f"{live.generation}.{reply}")
        if greeting:
            greeting.written = written
        self._turns.change(ask, written=written)
        self._stream.acknowledge(ask)
        if times == 1 and live.bridge:
            live.bridge.tell(TruncateReply(reply, 0))  # the model is to know what it says, and that only once
            live.bridge.tell(Greet(ask, greeting.rest if greeting else words))
        elif times == 2 and not self._writes:
            self._writes, self._mute = True, live.generation
        else:
            self.settle(ask)
            self._tally["failed"] += 1
            self._caller.tell(UNSPOKEN)

    def seeds(self, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        """What a connection is told of the turns so far: a model that writes does so because it reads its own words."""
        if not self._writes:
            return turns
        return tuple(Turn("system", SPOKEN + turn.text) if turn.role == "assistant" else turn for turn in turns)

    def ended(self) -> None:
        """An ask came to an end of any kind."""
        self._ended += 1
        self._dropped = None

    def settle(self, ask: TurnId) -> None:
        """An ask is answered, and with it all that was asked before it; if it is the greeting, then that."""
        self._put_off.pop(ask, None)
        self._taken_back.clear()
        self._greetings.settle(ask)
        self._settle_before(ask)
        if (said := self._turns.get(ask)) and said.asked:
            self._answered(said)

    def fail(self, ask: TurnId, reason: str, *, full: bool = False, foreign: bool = False) -> None:
        """The model could not answer: the caller is told why, and the ask is settled.

        `reason` is the upstream's code; `full`: it has too much to do; `foreign`: it does not serve the language.
        """
        self.ended()
        self._greetings.fail(ask)
        self.settle(ask)
        self._tally["failed"] += 1
        if full:
            self._caller.tell(Error("busy", "Too many want an answer at this moment: say it again in a while."))
        elif foreign:
            self._caller.tell(Error("language_not_served", FOREIGN))
        else:
            self._caller.tell(Error("upstream_unavailable", f"The model could not answer ({reason}): say it again."))

    def give_up(self, live: Leg) -> None:
        """Nothing comes of what was asked, on this connection neither: all of it fails, and what waits may be asked."""
        asked = [*self.asks(), *(said.number for said in self._turns if said.asked)]
        if live.bridge:
            live.bridge.tell(CancelReply(overdue=True))
        self._outbound.lost(live.generation)
        if self._stream.stopped:
            self._stream.committed()
        self.fail(max(asked, default=NO_TURN), "nothing came")

    def lost(self, leg: Leg, said_before: Mapping[TurnId, str], died: bool = False) -> bool:
        """The connection is gone, and what it has not answered is asked again on the next one.

        `said_before` holds, by ask, the words that the caller gets of an answer that had begun. If the connection
        `died`, and another before it, over the same turns, those are dropped: True if there were any.
        """
        for ask in said_before:
            self._settle_before(ask)
            self._stream.acknowledge(ask)  # its answer has begun and goes on: heard once more it would begin anew
        dropped = died and self._drop_what_kills(leg, said_before)
        self._put_off.clear()
        self._stream.hold()
        for number in self._stream.heard_again:
            self._turns.forget(number)
            self._words.remember(leg, number, "")  # or it would be known before what was said before it
        self._greetings.lost(said_before)
        passed = {said.behind for said in self._turns}  # what was typed since goes before the rest of these answers
        for said in [said for said in self._turns if said.asked]:
            if said.number in passed and said.number in said_before:
                self._turns.forget(said.number)
                continue
            before = "" if said.cancelled else said.said_before  # of a connection that was lost even earlier
            self._ask_again(leg, said, said_before.get(said.number, before))
        return dropped

    def _drop_what_kills(self, leg: Leg, answering: Collection[TurnId]) -> bool:
        """A connection died: drop what it had and another that died had as well, and tell the caller so, once."""
        ungreeted, unheard = self._greetings.died(answering), self._stream.died()
        for said in [said for said in self._turns if said.asked]:
            blame = DIED_ANSWERING if said.number in answering else DIED
            self._turns.change(said.number, blame=said.blame + blame)
        killing = [said for said in self._turns if said.asked and said.blame >= MOST_BLAME]
        for said in killing:
            self._words.remember(leg, said.number, "")  # or the next one would know it
            self._answered(said)
            self._tally["failed"] += 1
        self._taken_back = {number: blame + DIED for number, blame in self._taken_back.items()}
        forgotten = [number for number, blame in self._taken_back.items() if blame >= MOST_BLAME]
        for number in forgotten:
            self._words.remember(leg, number, "")
            del self._taken_back[number]
        if ungreeted:
            self._caller.tell(UNGREETED)
        if unheard or any(not said.cancelled for said in killing):
            self._caller.tell(DROPPED)
        return bool(ungreeted or unheard or killing or forgotten)

    def _ask_again(self, leg: Leg, said: Utterance, said_before: str) -> None:
        behind = any(not other.asked and other.number < said.number for other in self._turns)
        if said.cancelled and said.said_before:
            self._turns.forget(said.number)  # nobody waits for the rest
        elif said_before:
            self._turns.change(said.number, asked=False, behind=0, said_before=said_before)
        elif said.written and said.cancelled:
            self._turns.forget(said.number)
        elif said.written:
            self._turns.change(said.number, asked=False, behind=0)
        elif not said.content:
            self._turns.forget(said.number)  # the microphone has it, and plays it to the next one; or it was noise
            self._stream.unheard = not said.cancelled or self._stream.unheard
        elif said.cancelled and isinstance(said.content, str) and not behind:
            self._turns.forget(said.number)  # the next one knows it, and nobody waits for an answer
            self._taken_back[said.number] = said.blame
        else:
            self._turns.change(said.number, asked=False, cancelled=False, behind=0, said_before="")
            self._words.remember(leg, said.number, "")  # or the next one would know it twice

    def _settle_before(self, ask: TurnId) -> None:
        for said in self._turns.before(ask):
            self._answered(said)

    def _answered(self, said: Utterance) -> None:
        self._turns.forget(said.number)
        self._stream.acknowledge(said.number)


def _rest(about: tuple[Generation, ReplyNumber], come: Coming, answers: int) -> list[Waiting]:
    """What the caller waits for while an answer comes: they hear that no more of it does once it has been played."""
    if come.dry_at is None:
        return [Waiting(For.REST, about, come.at, answers=answers)]
    earliest = come.dry_at - ABOUT_TO_RUN_DRY
    return [
        Waiting(For.FALTER, about, come.at, earliest=earliest),
        Waiting(For.STALL, about, come.at, earliest=earliest, answers=answers),
    ]
