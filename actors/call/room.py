"""The room that one caller's clips, and what waits for them, take in the memory that all callers share."""

from collections.abc import Callable

from actors.admission.waiting import CROWDED, Holding, Kind, Parcel
from actors.call.recordings import Recordings
from actors.call.refusals import Refusals
from actors.messages.admission import Displaced, LetGo
from actors.messages.caller import Counted
from audio import Decoded, Packed, Undecoded
from schemas import Refused
from upstream.facts import TurnId


class Room:
    """`tell` is told when others need the room: of a clip, which comes back to `told`, or of a call."""

    def __init__(
        self, clips: Recordings, refusals: Refusals, tell: Callable[[Displaced | LetGo], None], holding: Holding
    ) -> None:
        self._clips, self._refusals, self._tell = clips, refusals, tell
        self.holding = holding

    def of(self, holding: Holding) -> None:
        """From here on, what comes is counted for this connection."""
        self.holding = holding

    def parcel(self) -> Parcel:
        """A count of what is kept for a caller who may come back, until they have received it."""
        return self.holding.parcel(Kind.REPLY, lambda lost: self._tell(LetGo()))

    def leave(self) -> None:
        """The caller is away."""
        self.holding.leave()

    def come_back(self) -> None:
        """They are back."""
        self.holding.come_back()

    def take(self, clip: bytes | Packed, came_as: Counted | None) -> Parcel:
        """Make room for a clip. `came_as` is what it was counted as until now. Raises Refused: busy."""
        counted = self.holding.parcel(Kind.CLIP, lambda lost: self._tell(Displaced(lost)))
        if came_as:
            came_as.release()
        if (came_as and came_as.lost) or not counted.resize(len(clip.frame if isinstance(clip, Packed) else clip)):
            raise Refused("busy", CROWDED)
        return counted

    def told(self, message: Decoded | Undecoded | Displaced) -> bool:
        """A clip is decoded or refused, or there is no room for it any more, of which the caller is told.

        False if nobody waits for the clip any more.
        """
        if isinstance(message, Displaced):
            remains = self._clips.displaced(message.counted)
        elif self._clips.told(TurnId(message.number)):
            remains = self._clips.decoded(message)
        else:
            return False
        if not remains:
            self._refusals.excuse("busy", CROWDED)
        return True

    def refuse(self, message: Decoded | Undecoded | Displaced, now: float) -> None:
        """Tell the caller why a clip could not be decoded; it counts as a refused message unless we are at fault."""
        match message:
            case Undecoded(_, code, reason) if message.counts:
                self._refusals.refuse(code, reason, now)
            case Undecoded(_, code, reason):
                self._refusals.excuse(code, reason)

    def close(self) -> None:
        """Give back all of it."""
        self.holding.close()
