"""What was asked and is not answered yet: sent through the gate, and again when the upstream was over its limit."""

from realtime.client import errors
from realtime.client.backoff import Backoff
from realtime.client.errors import Action
from realtime.client.gate import Ask, Gate
from realtime.client.input_turns import InputTurns
from realtime.client.outbox import Outbox
from realtime.client.session_setup import SessionSetup
from realtime.client.states import ADD, CREATE, REFUSED, Model, Session, States
from upstream.facts import NO_REPLY, AskFailed, Event, Postponed


class Asks:
    """Opens the gate whenever the states admit it; what goes through is content, then a response.create."""

    def __init__(self, states: States, outbox: Outbox, session_setup: SessionSetup, input_turns: InputTurns) -> None:
        self._states, self._outbox = states, outbox
        self._session_setup, self._input_turns = session_setup, input_turns
        self.gate = Gate()
        self.backoff = Backoff()

    def ask(self, ask: Ask) -> None:
        """Send it now, or in its turn."""
        self.gate.put(ask)
        self.send_next()

    def retry(self) -> None:
        """The time of what was deferred has come."""
        self.gate.release()
        self.send_next()

    def void(self) -> None:
        """No answer is wanted to anything so far."""
        self.gate.void_all()
        self._input_turns.turns.void()

    def overtaken(self) -> None:
        """The caller speaks, so that no answer is wanted to what waits.

        A create that is on its way reaches the upstream after their speech; what becomes of it, its answer shows.
        """
        if self._states.session is Session.TUNING:
            return  # it is about to stop listening and to forget what it heard: what waits here was said after that
        self.gate.void_unsent()
        self._input_turns.turns.void()

    def abandon(self) -> None:
        """The upstream had its time to begin its answer: it is not waited for any more."""
        if self._states.model is Model.THINKING:
            self.gate.pending = None
            self._input_turns.turns.answered()
            self._states.move(REFUSED)

    def send_next(self) -> None:
        """Send what may be sent now: the API gives one response at a time."""
        setup = self._session_setup.setup
        while self._states.may(ADD) and self._states.model is Model.IDLE and (ask := self.gate.take()):
            if ask.void and ask.spoken and setup and setup.listens:
                continue  # a clip that nobody waits for would be heard as the caller's voice in the stream
            sent = [self._outbox.queue("content", event) for event in ask.content]
            if ask.spoken:
                self._input_turns.clip(sent[-1], ask.number)
            ask.content, ask.spoken, ask.sent = [], False, (*ask.sent, *sent)
            if not ask.void and self._states.may(CREATE):
                response = {**ask.response, "metadata": {"ask": str(ask.number)}}
                self._outbox.queue("create", {"type": "response.create", "response": response})
                self._states.move(CREATE)

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
        seconds = self.postpone(ask, message) if later else None
        self.send_next()
        if ask.void:
            return []
        if seconds is not None:
            return [Postponed(NO_REPLY, ask.number, seconds)]
        means = errors.of(code)
        full, foreign = means is Action.FULL, means is Action.FOREIGN
        return [AskFailed(ask.number, code, message, full, foreign)]

    def content_refused(self, event_id: str, code: str, message: str) -> list[Event]:
        """If a part of what is pending was not taken: the answer would be to something else, so none is wanted."""
        ask = self.gate.pending
        if ask is None or ask.void or event_id not in ask.sent:
            return []
        ask.void = True
        return [AskFailed(ask.number, code, message)]

    def postpone(self, ask: Ask, message: str) -> float | None:
        """Defer it for these seconds, or None if that was tried often enough. Its content stands there already."""
        seconds = self.backoff.delay(ask, message)
        if seconds is not None:
            self.gate.defer(ask)
        return seconds
