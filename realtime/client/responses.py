"""The model's answers: asked for through one gate, told as they come, cut to what was heard."""

from realtime.client import errors
from realtime.client.errors import Action
from realtime.client.gate import Ask, Gate, Reply
from realtime.client.incoming import ResponseCreated, ResponseDone
from realtime.client.input_turns import InputTurns
from realtime.client.outbox import Outbox
from realtime.client.session_setup import SessionSetup
from realtime.client.states import (
    ADD,
    BEGAN,
    CREATE,
    DONE,
    REFUSED,
    SESSION,
    UNSETTLED,
    Caller,
    Model,
    Session,
    States,
)
from upstream.facts import (
    BYTES_PER_MS,
    Allowance,
    AskFailed,
    Event,
    Postponed,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyWords,
    Status,
)
from upstream.models import Capabilities


class Responses:
    """The gate, and all replies of one connection by their response ids."""

    def __init__(
        self, states: States, outbox: Outbox, opening: SessionSetup, listening: InputTurns, can: Capabilities
    ) -> None:
        self._states, self._outbox = states, outbox
        self._session_setup, self._input_turns, self._can = opening, listening, can
        self.gate = Gate()
        self._replies: dict[str, Reply] = {}
        self._allowances: dict[str, Allowance] = {}

    # What is asked.

    def ask(self, ask: Ask) -> None:
        """Ask it now, or in its turn."""
        self.gate.put(ask)
        self.open_gate()

    def cancel(self) -> None:
        """No answer is wanted to anything so far."""
        self.gate.void()
        self._input_turns.turns.void()
        if self.gate.active and not self.gate.active.void:
            self._cancel(self.gate.active)
        self.open_gate()

    def abandon(self) -> None:
        """The upstream says no more to what it was asked: the next may be asked. If it does after all, it is cut."""
        if self.gate.active:
            self._close(self.gate.active)
        elif self._states.model is Model.THINKING:
            self.gate.pending = None
            self._input_turns.turns.answered()
            self._states.move(REFUSED)
        self.open_gate()

    def overtaken(self) -> None:
        """The caller speaks: the upstream cuts its answer short by itself (interrupt_response).

        A create that is on its way reaches it after that: what becomes of it shows when it is answered.
        """
        if self.gate.active:
            self.gate.active.void = True
        if self._states.session is Session.TUNING:
            return  # it is about to stop listening and to forget what it heard: what waits here was said after that
        self.gate.overtake()
        self._input_turns.turns.void()

    def retry(self) -> None:
        """What was postponed is due."""
        self.gate.let_go()
        self.open_gate()

    def truncate(self, number: int, heard_ms: int) -> None:
        """Cut a reply, in the model's memory, to what the caller heard of it."""
        for reply in self._replies.values():
            if reply.number == number:
                reply.keep_ms = heard_ms
                self._cut(reply)

    def open_gate(self) -> None:
        """Ask what may be asked now: the API has one response at a time."""
        setup = self._session_setup.setup
        while self._states.may(ADD) and self._states.model is Model.IDLE and (ask := self.gate.take()):
            if ask.void and ask.spoken and setup and setup.listens:
                continue  # a clip that nobody waits for would be heard as the caller's voice in the stream
            said = [self._outbox.say("content", event) for event in ask.content]
            if ask.spoken:
                self._input_turns.clip(said[-1], ask.number)
            ask.content, ask.spoken, ask.said = [], False, (*ask.said, *said)
            if not ask.void and self._states.may(CREATE):
                response = {**ask.response, "metadata": {"ask": str(ask.number)}}
                self._outbox.say("create", {"type": "response.create", "response": response})
                self._states.move(CREATE)

    # What comes.

    def created(self, began: ResponseCreated) -> list[Event]:
        """A response begins: to what we asked, or to what the upstream heard by itself."""
        if began.response in self._replies:
            self._states.anomalies[f"{BEGAN} twice"] += 1
            return []
        ours = began.ask
        self._states.admits(BEGAN)
        told = self._end_overdue() + ([] if ours else self._input_turns.overdue())
        turn = None if ours else self._input_turns.turns.answered()
        asked = self.gate.pending.number if self.gate.pending else self.gate.overtaken()
        reply = Reply(began.response, len(self._replies) + 1, ours or (turn.ask if turn else asked))
        self._replies[reply.id] = reply
        self.gate.began(reply)
        self._states.move(BEGAN)
        void = (reply.asked and reply.asked.void) or (turn and turn.void) or self._states.caller is Caller.SPEAKING
        if void or BEGAN not in SESSION[self._states.session]:
            reply.keep_ms = 0
            self._cancel(reply)
            return told
        return [*told, ReplyBegan(reply.number, reply.ask)]

    def item(self, response_id: str, item: str) -> None:
        """What is said of it stands in the conversation as this item."""
        if reply := self._replies.get(response_id):
            reply.item = reply.item or item

    def audio(self, response_id: str, pcm: bytes) -> list[Event]:
        """Some of the sound: the hot path of everything here."""
        reply = self._replies.get(response_id)
        if reply is None or reply.void or reply.done:
            return self._odd_audio(response_id, pcm, reply)
        reply.received += len(pcm)
        return [ReplyAudio(reply.number, pcm)]

    def words(self, response_id: str, words: str) -> list[Event]:
        """Some of the words."""
        told = self._missed(response_id)
        reply = self._replies.get(response_id)
        if reply is None or reply.done:
            return told
        reply.text += words
        return told if reply.void else [*told, ReplyWords(reply.number, words)]

    def said(self, response_id: str) -> None:
        """All of it was said."""
        if reply := self._replies.get(response_id):
            reply.complete = True

    def all_words(self, response_id: str, words: str) -> None:
        """All of them at once, for an upstream that left out the pieces."""
        if reply := self._replies.get(response_id):
            reply.text = reply.text or words

    def done(self, done: ResponseDone) -> list[Event]:
        """A response is over, one way or another."""
        told = self._missed(done.response, done.ask)
        reply = self._replies.get(done.response)
        if reply is None or reply.done:
            self._states.anomalies[f"{DONE} of nothing in hand"] += 1
            return told
        if done.used:
            told.append(done.used)
        reply.item = reply.item or done.item
        return told + self._end(reply, done)

    def refused(self, code: str, message: str) -> list[Event]:
        """The response.create that is on its way came to nothing."""
        ask, expecting = self.gate.pending, self._input_turns.turns.unanswered
        if ask is None:
            self._states.anomalies[code] += 1
            return []
        if code == errors.BUSY and (expecting or self._states.model is Model.ANSWERING):
            self._states.anomalies[code] += 1
            self.gate.put_back(ask)
            return []
        self.gate.pending = None
        if not expecting and self._states.model is Model.THINKING:
            self._states.move(REFUSED)
        later = code == errors.BUSY or errors.of(code) is Action.LATER
        told: list[Event] = [self._postpone(ask, code, message) if later else AskFailed(ask.number, code, message)]
        self.open_gate()
        return [] if ask.void else told

    def unsaid(self, event_id: str, code: str, message: str) -> list[Event]:
        """A part of what is being asked was not taken: what came would answer something else, so none is wanted."""
        ask = self.gate.pending
        if ask is None or ask.void or event_id not in ask.said:
            return []
        ask.void = True
        return [AskFailed(ask.number, code, message)]

    def allowed(self, allowances: tuple[Allowance, ...]) -> list[Event]:
        """What our account has left."""
        self._allowances |= {allowance.what: allowance for allowance in allowances}
        return list(self._allowances.values())

    # How they end.

    def _end(self, reply: Reply, done: ResponseDone) -> list[Event]:
        self._close(reply)
        match errors.of(done.reason):
            case (Action.ACCOUNT | Action.LOST) as verdict:
                fatal = verdict is Action.ACCOUNT
                return self._states.unusable(done.reason, done.message or done.reason, fatal)
            case Action.LATER if not (reply.void or reply.received):
                asked = reply.asked or Ask(reply.ask, [])
                end = self._postpone(asked, done.reason, done.message, reply)
            case _:
                end = self._ended(reply, done.status, done.reason)
        self.open_gate()
        return [end]

    def _ended(self, reply: Reply, status: Status, reason: str) -> ReplyEnded:
        # A reply may have been complete before our cancel reached the upstream: to us it is cancelled all the same.
        return ReplyEnded(reply.number, reply.ask, "cancelled" if reply.void else status, reply.text.strip(), reason)

    def end_overdue(self) -> list[Event]:
        """The end of an answer that was said whole should have come long ago."""
        if (reply := self.gate.active) is None or not reply.complete:
            return []
        self._states.anomalies[f"{DONE} is missing"] += 1
        self._close(reply)
        told: list[Event] = [self._ended(reply, "completed", "")]
        self.open_gate()
        return told

    def _end_overdue(self) -> list[Event]:
        """There is one response at a time: if another begins, the end of this one was lost."""
        if (reply := self.gate.active) is None:
            return []
        self._close(reply)
        return [self._ended(reply, "incomplete", f"{DONE} is missing")]

    def _close(self, reply: Reply) -> None:
        reply.done = True
        if self.gate.active is reply:
            self.gate.active = None
            self._states.move(DONE)
        self._cut(reply)

    def _postpone(self, ask: Ask, code: str, message: str, reply: Reply | None = None) -> Event:
        """Ask again later, unless that was tried often enough. What was to be answered stands there already."""
        resets_in = max((at.resets_in for at in self._allowances.values() if at.remaining <= 0), default=0.0)
        seconds = errors.delay(message, resets_in, ask.tries)
        if ask.tries >= errors.TRIES or ask.waited + seconds > errors.LONGEST_DELAY:
            return self._ended(reply, "failed", code) if reply else AskFailed(ask.number, code, message)
        ask.tries, ask.waited = ask.tries + 1, ask.waited + seconds
        self.gate.hold(ask)
        return Postponed(reply.number if reply else 0, ask.number, seconds)

    def _missed(self, response_id: str, ask: int = 0) -> list[Event]:
        """If something comes of a response of which nobody told, and one is owed, then it has begun."""
        if response_id in self._replies or self._states.model is not Model.THINKING:
            return []
        self._states.anomalies[f"{BEGAN} is missing"] += 1
        return self.created(ResponseCreated(response_id, ask))

    def _odd_audio(self, response_id: str, pcm: bytes, reply: Reply | None) -> list[Event]:
        """Of a response that nobody wants, or that nobody knows."""
        if self._states.session in UNSETTLED:  # and its voice is locked now, whatever we ask for
            return self._states.unusable(
                "audio_before_setup", "the model spoke before it was told who it is", fatal=False
            )
        if reply is None and (told := self._missed(response_id)):
            return [*told, *self.audio(response_id, pcm)]
        if reply is None or not reply.void:
            self._states.anomalies["audio of no response in hand"] += 1
        return []

    def _cancel(self, reply: Reply) -> None:
        """Nobody wants to hear more of it."""
        reply.void = True
        if self._can.cancel:
            self._outbox.say("cancel", {"type": "response.cancel", "response_id": reply.id})

    def _cut(self, reply: Reply) -> None:
        """Truncate or delete what was not heard; over WebSocket the server does not do it by itself."""
        if reply.keep_ms is None or not reply.done or not reply.item:
            return
        if not self._can.truncate:
            self._states.anomalies["a reply that could not be cut"] += 1
        elif reply.keep_ms <= 0:
            self._outbox.say("cut", {"type": "conversation.item.delete", "item_id": reply.item})
        elif reply.keep_ms < reply.received // BYTES_PER_MS:
            cut = {"item_id": reply.item, "content_index": 0, "audio_end_ms": reply.keep_ms}
            self._outbox.say("cut", {"type": "conversation.item.truncate", **cut})
        reply.keep_ms = None
