"""The room that one caller's clips take among those of all, from when they come until they are answered."""

from collections import Counter
from collections.abc import Callable

from actors.admission.waiting import CROWDED, Holding, Kind, Parcel
from actors.call.connection import Caller
from actors.call.recordings import Recordings
from actors.counters import Counters
from actors.messages.admission import Displaced
from actors.messages.caller import Counted, Error
from audio import Decoded, Packed, Undecoded
from schemas import Refused
from upstream.facts import TurnId


class Room:
    """`displaced` is called when others need what a clip takes; what it is told comes back here."""

    def __init__(
        self,
        caller: Caller,
        clips: Recordings,
        tally: Counter[str],
        counters: Counters,
        displaced: Callable[[Displaced], None],
        holding: Holding,
    ) -> None:
        self._caller, self._clips, self._displaced = caller, clips, displaced
        self._tally, self._counters = tally, counters
        self.holding = holding

    def of(self, holding: Holding) -> None:
        """What comes from here on is kept for this connection."""
        self.holding = holding

    def take(self, clip: bytes | Packed, came_as: Counted | None) -> Parcel:
        """For a clip, which waits from now on. Raises Refused: busy."""
        counted = self.holding.parcel(Kind.CLIP, lambda lost: self._displaced(Displaced(lost)))
        if came_as:
            came_as.release()
        if (came_as and came_as.lost) or not counted.resize(len(clip.frame if isinstance(clip, Packed) else clip)):
            raise Refused("busy", CROWDED)
        return counted

    def told(self, message: Decoded | Undecoded | Displaced) -> bool:
        """A clip is decoded or refused, or there is no room for it any more: that is no fault of the caller's.

        False where the clip was given up while this was on its way.
        """
        if isinstance(message, Displaced):
            remains = self._clips.displaced(message.counted)
        elif self._clips.told(TurnId(message.number)):
            remains = self._clips.decoded(message)
        else:
            return False
        if not remains:
            self._tally["busy"] += 1
            self._counters.messages_refused["busy"] += 1
            self._caller.tell(Error("busy", CROWDED))
        return True

    def close(self) -> None:
        """Nothing of it is needed any more."""
        self.holding.close()
