"""What the upstream says of its responses, from response.created to response.done, as events of replies."""

from realtime.client import errors
from realtime.client.asks import Asks
from realtime.client.errors import Action
from realtime.client.gate import Ask
from realtime.client.input_turns import InputTurns
from realtime.client.replies import Replies, Reply
from realtime.client.server_events import ResponseCreated, ResponseDone
from realtime.client.states import BEGAN, DONE, SESSION, UNSETTLED, Caller, Model, States
from upstream.facts import (
    NO_TURN,
    Event,
    Postponed,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplySaid,
    ReplyWords,
    Status,
    TurnId,
)


class Responses:
    """Follows each response, also one whose beginning or end was lost."""

    def __init__(self, states: States, replies: Replies, asks: Asks, input_turns: InputTurns) -> None:
        self._states, self._replies, self._asks, self._input_turns = states, replies, asks, input_turns
        self._dropped: Reply | None = None  # the upstream has cancelled it, and may answer the same ask by itself

    # How they are stopped.

    def cancel(self, overdue: bool = False) -> None:
        """No answer is wanted to anything so far; with `overdue` the end of the active one is not waited for.

        What the upstream says of it after that is cut.
        """
        self._asks.void()
        if self._dropped:
            self._dropped.void = True
        active = self._replies.active
        if active and not active.void:
            self._replies.cancel(active)
        if overdue and active:
            self._replies.close(active)
        elif overdue:
            self._asks.abandon()
        self._asks.send_next()

    def interrupted(self) -> None:
        """The caller speaks: the upstream stops its response by itself (interrupt_response)."""
        if self._replies.active:
            self._replies.active.void = True
        self._asks.overtaken()

    def end_overdue(self) -> list[Event]:
        """End the active response if it was said whole: its end should have come long ago."""
        reply = self._replies.active
        if reply is None or not reply.complete:
            return []
        self._states.anomalies[f"{DONE} is missing"] += 1
        self._replies.close(reply)
        self._asks.send_next()
        return [_ended(reply, "completed")]

    # What comes.

    def created(self, began: ResponseCreated) -> list[Event]:
        """A response begins: to what we asked, or to what the upstream heard by itself."""
        if self._replies.get(began.response):
            self._states.anomalies[f"{BEGAN} twice"] += 1
            return []
        self._states.admits(BEGAN)
        events = self._end_unended()
        if began.ask:
            number, void, self._dropped = began.ask, False, None
        else:
            events += self._input_turns.commit_overdue()
            number, void = self._unasked()
        asked = self._asks.gate.answered(number)
        reply = self._replies.begin(began.response, number, asked)
        void = void or bool(asked and asked.void) or self._states.caller is Caller.SPEAKING
        if void or BEGAN not in SESSION[self._states.session]:
            reply.keep_ms = 0
            self._replies.cancel(reply)
            return events
        return [*events, ReplyBegan(reply.number, reply.ask)]

    def item(self, response_id: str, item: str) -> None:
        """A response stands in the conversation as this item, which is to be said."""
        if reply := self._replies.get(response_id):
            reply.name(item)
            reply.complete = False

    def audio(self, response_id: str, pcm: bytes, item: str = "") -> list[Event]:
        """Some audio: the hot path of everything here."""
        reply = self._replies.get(response_id)
        if reply is None or reply.void or reply.done:
            return self._unexpected_audio(response_id, pcm, reply, item)
        reply.hear(item, len(pcm))
        return [ReplyAudio(reply.number, pcm)]

    def words(self, response_id: str, words: str, item: str = "") -> list[Event]:
        """Some of the words."""
        events = self._begin_unannounced(response_id)
        reply = self._replies.get(response_id)
        if reply is None or reply.done:
            return events
        words = reply.say(item, words)
        return events if reply.void else [*events, ReplyWords(reply.number, words)]

    def written(self, response_id: str, words: str, item: str = "") -> None:
        """Some of what it writes: nobody can hear it, and the caller gets it whole."""
        if reply := self._replies.get(response_id):
            reply.say(item, words)

    def all_words(self, response_id: str, words: str, item: str = "") -> list[Event]:
        """All words of an item at once, for an upstream that left out the pieces, or of which the last were lost."""
        reply = self._replies.get(response_id)
        if not reply or not words.startswith(came := reply.part(item).words):
            return []
        later, words = bool(reply.text), reply.say(item, words[len(came) :])
        return [ReplyWords(reply.number, words)] if later and words and not (reply.void or reply.done) else []

    def said_whole(self, response_id: str) -> list[Event]:
        """All of a response was said; its response.done is to come, or another item."""
        reply = self._replies.get(response_id)
        if reply is None or reply.done:
            return []
        reply.complete = True
        return [ReplySaid(reply.number)] if reply.received and not reply.void else []

    def done(self, done: ResponseDone) -> list[Event]:
        """A response is over, one way or another."""
        events = self._begin_unannounced(done.response, done.ask)
        reply = self._replies.get(done.response)
        if reply is None or reply.done:
            self._states.anomalies[f"{DONE} of nothing in hand"] += 1
            return events
        if done.used:
            events.append(done.used)
        for item in done.items:
            reply.name(item)
        reply.text = reply.text or done.words
        return events + self._end(reply, done)

    def _end(self, reply: Reply, done: ResponseDone) -> list[Event]:
        self._dropped = reply if done.status == "cancelled" and not reply.void else None
        self._replies.close(reply)
        action = errors.of(done.reason)
        if action in (Action.ACCOUNT, Action.LOST):
            return self._states.unusable(done.reason, done.message or done.reason, fatal=action is Action.ACCOUNT)
        event: Event = _ended(reply, done.status, done.reason)
        if action is Action.LATER and not (reply.void or reply.received):
            seconds = self._asks.postpone(reply.asked or Ask(reply.ask, []), done.message)
            failed = _ended(reply, "failed", done.reason)
            event = failed if seconds is None else Postponed(reply.number, reply.ask, seconds)
        reply.asked = None  # and with it the instructions
        self._asks.send_next()
        return [event]

    # What was lost on the way.

    def _unasked(self) -> tuple[TurnId, bool]:
        """The number of what a response answers that does not say it, and whether no answer to it is wanted."""
        if turn := self._input_turns.turns.answered():
            return turn.ask, turn.void
        if dropped := self._dropped:
            self._dropped = None
            return dropped.ask, dropped.void
        gate = self._asks.gate
        return (gate.pending.number if gate.pending else gate.spoken_turn), False

    def _end_unended(self) -> list[Event]:
        """There is one response at a time: if another begins, the end of the active one was lost."""
        if (reply := self._replies.active) is None:
            return []
        self._replies.close(reply)
        return [_ended(reply, "incomplete", f"{DONE} is missing")]

    def _begin_unannounced(self, response_id: str, ask: TurnId = NO_TURN) -> list[Event]:
        """If something comes of a response that was not announced, and one is owed, then it has begun."""
        if self._replies.get(response_id) or self._states.model is not Model.THINKING:
            return []
        self._states.anomalies[f"{BEGAN} is missing"] += 1
        return self.created(ResponseCreated(response_id, ask))

    def _unexpected_audio(self, response_id: str, pcm: bytes, reply: Reply | None, item: str) -> list[Event]:
        """Audio of a response that nobody wants, or that nobody knows."""
        if self._states.session in UNSETTLED:  # and its voice is locked now, whatever we ask for
            return self._states.unusable(
                "audio_before_setup", "the model spoke before it was told who it is", fatal=False
            )
        if reply is None and (events := self._begin_unannounced(response_id)):
            return [*events, *self.audio(response_id, pcm, item)]
        if reply is None or not reply.void:
            self._states.anomalies["audio of no response in hand"] += 1
        return []


def _ended(reply: Reply, status: Status, reason: str = "") -> ReplyEnded:
    # A reply may have been complete before our cancel reached the upstream: to us it is cancelled all the same.
    status, means = "cancelled" if reply.void else status, errors.of(reason)
    full, foreign = means is Action.FULL, means is Action.FOREIGN
    proves = reply.asked is not None and "output_modalities" in reply.asked.response  # then its word is for nobody
    text = "" if proves else reply.text.strip()
    return ReplyEnded(reply.number, reply.ask, status, text, reason, full, foreign)
