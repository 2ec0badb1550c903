"""TrialActor: the server's own connection to the model, by which it learns that the account is served again."""

import logging
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from actors.bridge import BridgeInbox, OpenAIBridgeActor
from actors.call.usage import Account
from actors.messages.admission import FromTrial, Served
from actors.messages.bridge import AccountRefused, Configure, FromBridge, Prove, Ready, UpstreamEvent, UpstreamRefused
from actors.messages.ids import ChoiceId, Generation
from actors.runtime import Boot, Down, Hired, LoopActor, Ref, Stop
from actors.services import Services
from upstream.facts import Allowance, AskFailed, Event, Postponed, ReplyEnded, Setup, TurnId, Used

log = logging.getLogger(__name__)

USER = "the server itself"  # in the safety identifier; no caller can have this name, it has blanks


@dataclass(frozen=True, slots=True)
class Due:
    """A timer: the next trial is due."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A timer: the trial under way had its time."""


TrialInbox: TypeAlias = Boot | Stop | Down | FromBridge | Due | Overdue


class TrialActor(LoopActor[TrialInbox]):
    """Lives while the upstream refuses our account: waits, tries, and tells Served once it is served.

    A trial asks for one word in writing over a connection of its own: Ready proves the key, but only an answer proves
    the quota. An ask that is postponed or fails counts as answered, unless the account is refused: an upstream that is
    busy, or refuses this ask, does serve us. A trial fails if the account is refused, if the connection is lost, and if
    no answer comes in time; the next one is due as long after it as the first.
    """

    name = "trial"

    def __init__(self, services: Services, supervisor: Ref[FromTrial]) -> None:
        super().__init__()
        self._services, self._supervisor = services, supervisor
        self._account = Account(services, USER)
        self._bridge: Hired[BridgeInbox] | None = None  # while one tries
        self._tries = 0
        self._served = False

    def on_receive(self, message: TrialInbox) -> None:
        match message:
            case Boot():
                self.after(self._services.trials.every, Due())
            case Due():
                self._try()
            case Ready():
                if self._bridge:
                    self._bridge.tell(Prove(TurnId(self._tries)))
            case UpstreamEvent(event=event):
                self._learn(event)
            case Overdue():
                if self._bridge:
                    self._bridge.stop(block=False)
            case Down(cause=cause):
                self._tried(cause)
            case Stop():
                self.end()
            case _:
                assert_never(message)

    def _try(self) -> None:
        self._tries += 1
        upstream, voice = self._services.upstream, self._services.current.catalogue.active()[0].voice
        wanted = Configure(ChoiceId(self._tries), Setup("Answer in one word.", voice, "en"), ())
        self._bridge = self.hire(OpenAIBridgeActor, self.me, Generation(self._tries), upstream, USER, wanted)
        self.after(self._services.trials.within, Overdue())

    def _learn(self, event: Event) -> None:
        match event:
            case Used() | Allowance():
                self._account.count(event)
            case ReplyEnded() | Postponed() | AskFailed():
                self._tell_served()

    def _tell_served(self) -> None:
        if self._served:
            return
        self._served = True
        self._supervisor.tell(Served())
        if self._bridge:
            self._bridge.tell(Stop())

    def _tried(self, cause: BaseException | None) -> None:
        """The bridge of a trial ended."""
        self._bridge = None
        if isinstance(cause, UpstreamRefused) and not isinstance(cause, AccountRefused):
            self._tell_served()  # what is refused is this setup, not us
        if self._served:
            self.end()
        else:
            log.debug("trial %d failed: %s", self._tries, cause or "no answer in time")
            self.after(self._services.trials.every, Due())
