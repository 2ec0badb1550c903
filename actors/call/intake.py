"""Audio of a stream as it comes from the caller, 50 times a second: whether it may come, and how much of it did."""

from collections.abc import Callable
from math import inf

from actors.admission.rate import Rate
from actors.call.connection import Caller
from actors.call.inbound import WRONG_MODE
from actors.call.switchboard import Switchboard
from actors.call.uplink import Uplink
from actors.messages.caller import Close, Error
from upstream.facts import BYTES_PER_MS

SECOND = 1000 * BYTES_PER_MS  # of audio
STRAY_SECONDS = 1.0  # a phone hears of a refusal a moment later, and has sent 50 more frames a second until then
HASTE_SECONDS = 30.0  # of a stream may come at once, however quiet it was before: a phone was out of reach for so long


class Intake:
    """`refuse` says what is wrong with it, by code and reason."""

    def __init__(self, caller: Caller, board: Switchboard, stream: Uplink, refuse: Callable[[str, str], None]) -> None:
        self._caller, self._board, self._stream, self._refuse = caller, board, stream, refuse
        self._haste = Rate(SECOND, HASTE_SECONDS * SECOND)
        self._strayed_at = -inf
        self._bytes = 0

    @property
    def ms(self) -> int:
        """So much has come."""
        return self._bytes // BYTES_PER_MS

    def hear(self, pcm: bytes, now: float) -> Close | None:
        """Some more of it: the usual case goes first. What it is to end the call with, if it came too fast."""
        if not self._board.choice:
            if not self._bytes:
                self._caller.tell(Error("no_persona", "Choose a persona first: send config with an astrologer_id."))
            self._bytes += len(pcm)
            return None
        if self._board.mode != "stream":
            if not self._board.takes("stream"):
                self._stray(now)
                return None
            self._board.spoke("stream")
        self._bytes += len(pcm)
        if not self._haste.take(now, len(pcm)):
            self._caller.tell(
                Error("too_many_messages", "Audio comes faster than anybody speaks: send it in real time.")
            )
            return Close(4400, "audio came faster than anybody speaks: send it in real time")
        self._stream.hear(pcm, now)
        return None

    def _stray(self, now: float) -> None:
        """It comes in a call of clips: told once for all that is on its way."""
        if now - self._strayed_at >= STRAY_SECONDS:
            self._strayed_at = now
            self._refuse("wrong_mode", WRONG_MODE["clip"])
