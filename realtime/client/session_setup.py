"""Opens a session and keeps it what was asked for: nothing is sent before the upstream shows that it is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from realtime.client import requests
from realtime.client.fields import Fields
from realtime.client.outbox import Outbox
from realtime.client.requests import ClientEvent
from realtime.client.server_events import SessionUpdated
from realtime.client.states import ATTENDS, CREATED, IGNORES, INSTRUCT, UPDATE, UPDATED, States
from upstream.facts import Configured, Event, Setup, Turn

TURN_DETECTION = ("type", "create_response", "interrupt_response")  # the rest is taste, and may come back rounded


@dataclass(frozen=True, slots=True)
class Update:
    """A session.update that the upstream has not answered yet, and how the session is to be after it.

    `alone`: it has the instructions and nothing else, so that nothing waits for its answer.
    """

    event_id: str
    setup: Setup
    alone: bool


class SessionSetup:
    """Holds the newest setup, and the updates that the upstream has not answered yet, oldest first."""

    def __init__(self, states: States, outbox: Outbox) -> None:
        self._states, self._outbox = states, outbox
        self.setup: Setup | None = None
        self._seed: tuple[Turn, ...] = ()
        self._updates: list[Update] = []
        self._expires_at: float | None = None

    def configure(self, setup: Setup, seed: Iterable[Turn]) -> None:
        """Make the session what `setup` says, now or once it is created; `seed` are the turns so far."""
        self.setup, self._seed = setup, tuple(seed)
        self._update(setup)

    def set_turn_detection(self, listens: bool) -> None:
        """Turn server VAD on or off."""
        if self.setup and self.setup.listens != listens:
            self.setup = replace(self.setup, listens=listens)
            if self._update(self.setup) and not listens:  # what is left of the stream would be part of the next clip
                self._outbox.queue("clear", {"type": "input_audio_buffer.clear"})

    def update_instructions(self, instructions: str) -> None:
        """Change the instructions and nothing else: the model goes on listening and answering meanwhile."""
        if self.setup and self.setup.instructions != instructions:
            self.setup = replace(self.setup, instructions=instructions)
            self._send_update(INSTRUCT, requests.instruction(instructions), self.setup)

    def refused(self, event_id: str) -> None:
        """The upstream refused an event of ours: if it is an update of instructions alone, it is not waited for."""
        self._updates = [update for update in self._updates if not (update.alone and update.event_id == event_id)]

    def created(self, expires_at: float | None) -> None:
        """The session is there, with the defaults of the upstream."""
        if self._states.admits(CREATED):
            self._states.move(CREATED)
            self._expires_at = expires_at
            if self.setup:
                self._update(self.setup)

    def updated(self, session: SessionUpdated) -> list[Event]:
        """The upstream shows the session: it answers an update. Returns Configured if it is what we asked for."""
        if not self._states.admits(UPDATED):
            return []
        if not self._updates:
            self._states.anomalies[f"{UPDATED} unasked"] += 1
            return []
        update = self._answered(session)
        if update and not (update.alone or update.setup.listens):
            self._states.move(IGNORES)  # it hears nobody speak now, whatever it was asked for since
        if not update or update.alone or not all(later.alone for later in self._updates):
            return []  # nothing waits for this one: if the newest setup is on its way, that is what counts
        if wrong := _differing(update.setup, session):
            return self._states.unusable(*wrong, fatal=True)
        self._states.move(UPDATED)
        if update.setup.listens:
            self._states.move(ATTENDS)
        for turn in self._seed:
            self._outbox.queue("seed", requests.message(turn.role, turn.text))
        self._seed = ()
        return [Configured(session.expires_at or self._expires_at, self.setup is not None and self.setup.listens)]

    def _answered(self, session: SessionUpdated) -> Update | None:
        """The update that this answers, as far as can be known: the oldest that fits. An event does not say which."""
        while self._updates:
            update = self._updates.pop(0)
            if not (update.alone and _differing(update.setup, session)):
                return update
            self._states.anomalies["instructions that were not taken"] += 1
        return None

    def _update(self, setup: Setup) -> bool:
        return self._send_update(UPDATE, requests.session_update(setup), setup)

    def _send_update(self, what: str, event: ClientEvent, setup: Setup) -> bool:
        """Send an update if the states admit it now; False if not."""
        if may := self._states.may(what):
            alone = what is INSTRUCT
            event_id = self._outbox.queue("instruct" if alone else "setup", event)
            self._updates.append(Update(event_id, setup, alone))
            self._states.move(what)
        return may


def _differing(setup: Setup, got: SessionUpdated) -> tuple[str, str] | None:
    """The code and the message of what is not as it was asked for. What is left out, but for the voice, is believed."""
    asked = requests.session_update(setup)["session"]
    hears, speaks = asked["audio"]["input"], asked["audio"]["output"]
    if got.voice != setup.voice:
        return "voice_mismatch", f"asked for the voice {setup.voice}, got {got.voice}"
    pairs = {
        "instructions": _pair(_plain(setup.instructions), got.instructions and _plain(got.instructions)),
        "output_modalities": _pair(asked["output_modalities"], got.modalities),
        "audio.input.format": (hears["format"], {**hears["format"], **got.hears}),
        "audio.output.format": (speaks["format"], {**speaks["format"], **got.speaks}),
    }
    if got.shows_turn_detection:
        pairs["turn_detection"] = _rules(hears["turn_detection"], got.turn_detection)
    wrong = [name for name, (one, other) in pairs.items() if one != other]
    return ("setup_mismatch", f"the session is not as it was asked for in {', '.join(wrong)}") if wrong else None


def _pair(asked: object, got: object) -> tuple[object, object]:
    return asked, asked if got is None else got


def _rules(asked: Fields | None, got: Fields | None) -> tuple[Any, Any]:
    return asked and [asked[key] for key in TURN_DETECTION], got and [
        {**(asked or {}), **got}.get(key) for key in TURN_DETECTION
    ]


def _plain(text: str) -> str:
    return "\n".join(text.split())
