"""The recorded clips among a caller's turns: each keeps its place while it is decoded, and is counted meanwhile."""

from math import inf

from actors.admission.waiting import Parcel
from actors.call.clips import Clips
from actors.call.turns import TurnOrder, Utterance
from actors.messages.ids import ChoiceId
from audio import Decoded, Packed, Undecoded
from upstream.facts import BYTES_PER_MS, TurnId


class Recordings:
    """`ms`: of all that were decoded."""

    def __init__(self, clips: Clips, turns: TurnOrder) -> None:
        self._clips, self._turns = clips, turns
        self._came_at = -inf
        self.ms = 0

    @property
    def came_at(self) -> float:
        """When the newest clip came that the decoders have not refused, in seconds; -inf before any."""
        undecided = (said.arrived for said in self._turns if said.clip and said.content is None)
        return max([self._came_at, *undecided])

    def add(self, choice: ChoiceId, now: float, clip: bytes | Packed, counted: Parcel) -> None:
        """A clip has come, meant for this choice."""
        self._clips.add(self._turns.arrive(choice, now, counted=counted).number, clip)

    def told(self, clip: TurnId) -> bool:
        """The decoders are done with this clip, and may begin the next; False if nobody waits for it any more."""
        return self._clips.finished(clip)

    def decoded(self, result: Decoded | Undecoded) -> bool:
        """A clip is decoded, or refused: then it is forgotten.

        False if it is forgotten because what it was decoded to is more than may wait.
        """
        number = TurnId(result.number)
        match result:
            case Decoded(_, pcm):
                said = self._turns.get(number)
                if said and said.counted and not said.counted.resize(len(pcm)):
                    self.forget(said)
                    return False
                if said:
                    self._came(said)
                    self.ms += len(pcm) // BYTES_PER_MS
                self._turns.change(number, content=pcm)
            case Undecoded():
                self._turns.forget(number)
        return True

    def displaced(self, counted: object) -> bool:
        """Others needed the room of a clip, or of what it was decoded to. False if it was there, and is forgotten."""
        gone = [said for said in self._turns if said.counted is counted]
        self.forget(*gone)
        return not gone

    def forget(self, *gone: Utterance) -> None:
        """Nobody will answer these turns; those that are clips nobody need decode."""
        self._clips.drop(*(said.number for said in gone))
        for said in gone:
            self._came(said)
            self._turns.forget(said.number)

    def _came(self, said: Utterance) -> None:
        """It counts as said, also if the caller took it back before it was decoded."""
        self._came_at = max(self._came_at, said.arrived if said.clip else -inf)
