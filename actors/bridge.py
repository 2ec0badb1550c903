"""OpenAIBridgeActor: exactly one upstream connection, from dialling to its last fact. It never reconnects."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Protocol as Interface
from typing import TypeAlias

from actors.messages.bridge import (
    AccountRefused,
    Append,
    Configure,
    FromBridge,
    Ready,
    ToBridge,
    UpstreamEvent,
    UpstreamLost,
    UpstreamRefused,
)
from actors.messages.ids import Generation
from actors.runtime import Boot, LoopActor, LoopRef, Ref, Stop
from realtime.client.protocol import Protocol
from upstream.commands import Command, ConfigureSession, EndOverdueReply, Leave, Retry
from upstream.facts import AskFailed, Configured, Event, Frame, LinkBegan, LinkEnded, LinkEvent, Postponed, Unusable
from upstream.link import Frames, Link
from upstream.models import Capabilities, Prices
from upstream.protocol import UpstreamProtocol

log = logging.getLogger(__name__)

LINGER_SECONDS = 2.0  # for the transcripts that are still to come after Leave
OPENING_SECONDS = 7.0  # from dialling to Configured; after that the session tries another connection
CHECK_SECONDS = 5.0
SILENT_CHECKS = 4  # the connection is lost if what the upstream owes us stood still at so many checks in a row


@dataclass(frozen=True, slots=True)
class OpeningOver:
    """A timer: the connection had its time to be configured."""


@dataclass(frozen=True, slots=True)
class ProgressCheck:
    """A timer: did the upstream bring what it owes us any further?"""


@dataclass(frozen=True, slots=True)
class RetryDue:
    """A timer: what was Postponed may be asked again."""


@dataclass(frozen=True, slots=True)
class LingerOver:
    """A timer: the last transcripts had their time."""


BridgeInbox: TypeAlias = Boot | Stop | ToBridge | LinkEvent | OpeningOver | ProgressCheck | RetryDue | LingerOver


class Dialler(Interface):
    """What a session needs of the upstream: capabilities, prices, and for each bridge a link of this user's own."""

    @property
    def can(self) -> Capabilities: ...

    @property
    def prices(self) -> Prices | None: ...

    def dial(self, user: str, to: LoopRef[LinkEvent], frames: Frames) -> Link: ...


class OpenAIBridgeActor(LoopActor[BridgeInbox]):
    """Forwards commands to the protocol and its events to the session; ends when the link ends."""

    name = "bridge"

    def __init__(
        self, session: Ref[FromBridge], generation: Generation, upstream: Dialler, user: str, setup: Configure
    ) -> None:
        super().__init__()
        self._session, self._generation = session, generation
        self._upstream, self._user = upstream, user
        self._setup = setup
        self._protocol: UpstreamProtocol = Protocol(upstream.can)
        self._link: Link | None = None
        self._configured = self._leaving = False
        self._dialled_at: float | None = None  # none of its time passes while it waits to be dialled
        self._progress = self._silent = 0  # at the last check, and at how many checks in a row it had not grown

    def on_receive(self, message: BridgeInbox) -> None:
        match message:
            case Append():  # 50 times a second; no events follow at once
                self._protocol.send(message)
            case Frame(data):
                self._receive(data)
            case Configure():
                self._configure(message)
            case Boot():
                self._link = self._upstream.dial(self._user, self.me, self._protocol.to_send)
                self._configure(self._setup)
            case LinkBegan():
                self._began()
            case OpeningOver():
                self.end(UpstreamLost(f"not ready within {OPENING_SECONDS:g} s"))
            case ProgressCheck():
                self._check_progress()
            case RetryDue():
                self._send(Retry())
            case Stop():
                self._leave()
            case LingerOver():
                self._hang_up()
            case LinkEnded():
                self._ended(message)
            case _:
                self._send(message)  # mypy knows that only commands are left

    def on_rest(self) -> None:
        if self._link:
            self._link.flush()

    def on_stop(self) -> None:
        if self._link:
            self._link.abort()
        if anomalies := self._protocol.anomalies:
            log.info("generation %d ignored %s", self._generation, dict(anomalies))

    def _began(self) -> None:
        self._dialled_at = asyncio.get_running_loop().time()
        self.after(OPENING_SECONDS, OpeningOver())
        self.after(CHECK_SECONDS, ProgressCheck())

    def _configure(self, setup: Configure) -> None:
        self._setup, self._configured = setup, False
        if self._dialled_at is not None:
            self.after(OPENING_SECONDS, OpeningOver())
        self._send(ConfigureSession(setup.setup, setup.turns))

    def _send(self, command: Command) -> None:
        for event in self._protocol.send(command):
            self._learn(event)

    def _receive(self, data: bytes) -> None:
        for event in self._protocol.receive(data):
            self._learn(event)
        if self._leaving and self._protocol.complete:
            self._hang_up()

    def _learn(self, event: Event) -> None:
        match event:
            case Configured(expires_at, listens):
                self._configured = True
                self.cancel(OpeningOver)
                seconds = self._seconds_left(expires_at)
                self._session.tell(Ready(self._generation, self._setup.choice, seconds, listens))
            case Unusable(code, message, fatal, account):
                refusal = AccountRefused if account else UpstreamRefused if fatal else UpstreamLost
                self.end(refusal(f"{code}: {message}"))
            case _:
                self._pass_on(event)

    def _pass_on(self, event: Event) -> None:
        match event:
            case AskFailed(_, code, message):
                log.warning("generation %d was refused an answer: %s: %s", self._generation, code, message)
            case Postponed(seconds=seconds):
                self.after(seconds, RetryDue())
        self._session.tell(UpstreamEvent(self._generation, event))

    def _seconds_left(self, expires_at: float | None) -> float:
        """How many seconds the session lasts at most. An `expires_at` that is past is ignored: a clock is wrong."""
        age = 0.0 if self._dialled_at is None else asyncio.get_running_loop().time() - self._dialled_at
        left = self._upstream.can.session_seconds - age
        announced = expires_at - time.time() if expires_at else 0.0
        return min(left, announced) if announced > 0 else left

    def _check_progress(self) -> None:
        progress = self._protocol.progress
        silent = self._protocol.owed and progress == self._progress
        self._silent, self._progress = self._silent + 1 if silent else 0, progress
        if silent:
            self._send(EndOverdueReply())
        if self._silent >= SILENT_CHECKS:
            self.end(UpstreamLost(f"silent for {self._silent * CHECK_SECONDS:.0f} s"))
        else:
            self.after(CHECK_SECONDS, ProgressCheck())

    # Leaving.

    def _leave(self) -> None:
        self._leaving = True
        self._send(Leave())
        if not self._configured or self._protocol.complete:
            self._hang_up()
        else:
            self.after(LINGER_SECONDS, LingerOver())

    def _hang_up(self) -> None:
        self._leaving = True
        self.cancel(LingerOver)
        if self._link and self._configured:
            self._link.close()
        else:
            self.end()

    def _ended(self, link: LinkEnded) -> None:
        if self._leaving:
            self.end()
        else:
            refusal = AccountRefused if link.account else UpstreamLost
            self.end(refusal(f"closed with {link.code}: {link.reason}"))
