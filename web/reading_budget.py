"""How much of a call is read in a row, and at which pace. All counts are in frames of audio; a text counts as several.

READ_FRAMES are read, then the other callers have their turns; then so many more. A call that sends more than its PACE
hurries, and an address may be over the rate of all its calls: then the budget begins anew only when the receiver has
waited.
"""

import time

from actors.admission.rate import Rate
from actors.admission.waiting import LARGE

READ_FRAMES = 20  # in a row, or texts that take as long; then the loop is yielded to the other callers
MOST_UNHANDLED = 64  # messages in the session's mailbox
PACE, PACE_AT_ONCE = 120, 40  # a second, twice as many as a caller sends who speaks; so many at once
LONGEST = (READ_FRAMES + PACE_AT_ONCE) / PACE  # seconds that who speaks waits for a turn: their pace is sure to them


class ReadingBudget:
    """`told` is what the session was told so far; `speech` is the sound of it less all else, as far as that counts.

    `held`: seconds for which the address is over its `rate`, which is None where it has no limit. `hurries`: the call
    is over its pace.
    """

    __slots__ = ("_charged", "_most", "_pace", "_rate", "held", "hurries", "speech", "told")

    def __init__(self, rate: Rate | None) -> None:
        self.told = self.speech = 0
        self.held, self.hurries = 0.0, False
        self._rate, self._pace = rate, Rate(PACE, PACE_AT_ONCE)
        self._most, self._charged = READ_FRAMES, 0

    @property
    def holds_back(self) -> bool:
        """True if the budget does not begin anew by itself."""
        return self.held > 0 or self.hurries

    def spent(self, backlog: int) -> bool:
        """True if no more may be told before the session, which has a `backlog`, and the others had their turns.

        The budget begins anew when the session has handled all that it was told: then the loop has gone round.
        """
        if self.told >= self._most and not backlog:
            self.charge()
        return self.told >= self._most or backlog >= MOST_UNHANDLED

    def charge(self) -> None:
        """Charge what was told since to the pace of the call and to its address; begin anew if both bear it."""
        told, self._charged = self.told - self._charged, self.told
        if told:
            now = time.monotonic()
            self.hurries = not self._pace.take(now, told)
            self.held = self._rate.owe(now, told) if self._rate else 0.0
        if not self.holds_back:
            self.renew()

    def renew(self) -> None:
        """The budget begins anew, also where it holds back."""
        self.held, self.hurries = 0.0, False
        self._most = self.told + READ_FRAMES

    def speaks(self) -> bool:
        """True if of what was told since it was asked last more is sound than all else.

        Who speaks may say something more at times: READ_FRAMES of the sound before count, too.
        """
        speaks = self.speech > 0
        self.speech = max(0, min(self.speech, READ_FRAMES))
        return speaks


def text_cost(size: int) -> int:
    """How many frames of audio a text frame of so many bytes counts as.

    To check 64 KB takes 1.5 ms, as much as 70 frames. Of a frame over LARGE only the decoder reads the clip.
    """
    return 4 + size // (4096 if size > LARGE else 1024)
