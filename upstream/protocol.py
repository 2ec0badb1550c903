"""What a bridge needs of one session with a speech-to-speech API: a pure object with three verbs.

realtime/client/protocol.py implements it for the GA Realtime API. Another API implements the same three verbs and four
properties in a room of its own; the bridge brings the socket, the timers and the clock.
"""

from collections.abc import Mapping
from typing import Protocol

from upstream.commands import Command
from upstream.facts import Event


class UpstreamProtocol(Protocol):
    """Our half of one session: no socket, no clock, no task.

    `send` what is wanted, `receive` what the upstream said, write what `to_send` returns. What each command asks for is
    said in upstream/commands.py; a command that comes too early (before the session is configured, while another reply
    is given) is kept by the implementation until the API admits it. Which events follow is said in upstream/facts.py:

    - ConfigureSession, and SetTurnDetection where it changes anything, lead to Configured, or to Unusable.
    - AskClip, AskText, Greet, ContinueReply and Prove lead to ReplyBegan, ReplyWords and ReplyAudio, and ReplyEnded; or
      to AskFailed; or to Postponed, after which Retry comes in so many seconds. What CancelReply cancelled before it
      began leads to nothing.
    - Append leads to SpeechStarted, SpeechStopped and Committed, and to a reply as above; also to Transcribed, as
      AskClip does.
    - Used and Allowance may come at any time. After Unusable nothing counts: the bridge ends the connection.

    The bridge reads no codes of errors: Unusable says whether another connection may work, and LinkEnded what the close
    code means (ACCOUNT_CLOSES). A call reads one: an AskFailed or a ReplyEnded with a code that is FULL in
    realtime/client/errors.py means that the upstream is busy.
    """

    def send(self, command: Command) -> list[Event]:
        """Obey a command. Returns the events that follow from it at once, which are those of EndOverdueReply."""

    def receive(self, frame: bytes) -> list[Event]:
        """The events in one frame from the upstream. A frame that is malformed is counted, and raises nothing."""

    def to_send(self) -> list[bytes]:
        """The text frames to write now, in order: FRAMES_AT_ONCE at most, and if so many come there may be more."""

    @property
    def owed(self) -> bool:
        """True while the upstream owes us something: the session as configured, or (the rest of) a reply."""

    @property
    def progress(self) -> int:
        """Grows with each frame that brings what is owed further; the bridge gives up if it stands still too long."""

    @property
    def complete(self) -> bool:
        """True while no reply is wanted or under way and no transcript is to come: the connection can be closed."""

    @property
    def anomalies(self) -> Mapping[str, int]:
        """How often something was ignored, by what it was: for the log."""
