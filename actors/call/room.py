"""The room that one caller's clips take among those of all, from when they come until they are answered."""

from collections.abc import Callable

from actors.admission.waiting import CROWDED, Holding, Kind, Parcel
from actors.call.recordings import Recordings
from actors.call.refusals import Refusals
from actors.messages.admission import Displaced
from actors.messages.caller import Counted
from audio import Decoded, Packed, Undecoded
from schemas import Refused
from upstream.facts import TurnId


class Room:
    """`displaced` is called when others need the room of a clip; what it is told comes back to `told`."""

    def __init__(
        self, clips: Recordings, refusals: Refusals, displaced: Callable[[Displaced], None], holding: Holding
    ) -> None:
        self._clips, self._refusals, self._displaced = clips, refusals, displaced
        self.holding = holding

    def of(self, holding: Holding) -> None:
        """From here on, what comes is counted for this connection."""
        self.holding = holding

    def take(self, clip: bytes | Packed, came_as: Counted | None) -> Parcel:
        """Make room for a clip. `came_as` is what it was counted as until now. Raises Refused: busy."""
        counted = self.holding.parcel(Kind.CLIP, lambda lost: self._displaced(Displaced(lost)))
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
