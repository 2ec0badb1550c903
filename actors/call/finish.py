"""The last reply of a call that ends soon: it stops at a pause, and no other begins."""

from actors.call.outgoing import RATE, OutgoingReply
from actors.call.pauses import Pauses, stops

SENTENCE_SECONDS = 5.0  # so long the end of a sentence is waited for; then any pause will do


class Finish:
    """From `since` on, in seconds: the first pause after a sentence, or after SENTENCE_SECONDS any, within `within`."""

    def __init__(self, since: float, within: float) -> None:
        self._anywhere, self._until = since + min(SENTENCE_SECONDS, within / 2), since + within
        self._reply: OutgoingReply | None = None
        self._pauses = Pauses(0)
        self._seen = (0, False)

    def look(self, reply: OutgoingReply, plays_at: float) -> None:
        """End this reply at its pause, if that is known by now. What is released next plays at `plays_at`."""
        if reply is not self._reply:
            self._reply, self._pauses = reply, Pauses(reply.released)
            self._seen = (0, False)
        if reply.ends_early or (reply.status and not reply.pcm):
            return
        seen = (reply.amount, complete := bool(reply.status) or reply.whole == reply.amount)
        if seen == self._seen:
            return
        self._seen = seen
        anywhere, most = (self._byte(reply, plays_at, at) for at in (self._anywhere, self._until))
        self._pauses.hear(reply.pcm, reply.released, most)
        if place := self._pauses.place(stops(reply.marks, reply.received, complete), anywhere):
            reply.end_early(max(reply.released, place.byte), place.characters)

    @staticmethod
    def _byte(reply: OutgoingReply, plays_at: float, at: float) -> int:
        """The byte of the reply that plays at this time."""
        return reply.released + max(0, int((at - plays_at) * RATE) // 2 * 2)
