"""Where a reply may stop: at a pause in its sound, if possible the one after a sentence.

A pause is QUIET ms without a window that is audible: not louder than a fortieth of the loudest so far, or FLOOR. In
speech the closure of a consonant lasts 100 ms at most, so that no pause is inside a word.

The words of a reply come ahead of its sound, so that the place of a full stop in the sound is an estimate:

- The model sends words (a mark: the byte at which they came), then the sound of them. If it keeps in step, the words
  of a mark are shared out over the sound up to the next mark.
- If it sends the words far ahead of the sound, all marks are near the beginning. Then the share of all characters that
  come before the full stop is the share of all sound, once the reply is complete; before that, words are spoken at the
  highest pace. This counts where it is later than the estimate by marks: nothing is said before its words came.
- A pause belongs to a full stop if it is near the estimate: from NEAR before it to NEAR and DRIFT of the sound since
  the mark after it. A pause in the middle of a sentence that happens to be there is taken for its end.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from upstream.facts import BYTES_PER_MS

QUIET = 150 * BYTES_PER_MS
WINDOW = 10 * BYTES_PER_MS
EVERY = 4  # samples: a window is audible by every fourth
FLOOR = 400  # what samples swing by: -44 dBFS
SHARE = 40
NEAR = 250 * BYTES_PER_MS
DRIFT = 0.12
CHARACTERS_A_MS = 0.025  # speech at the highest pace
END = re.compile(r"[.?!।॥…؟۔。]+[\"'”’»)\]]*(?=\s|$)")

Marks = Sequence[tuple[int, str]]
"""(the byte of the sound at which they came, some words), in order."""


class Stop(NamedTuple):
    """The end of a sentence: so many characters of the words, at about this byte, at most `late` bytes later."""

    characters: int
    byte: int
    late: int


class Place(NamedTuple):
    """Where a reply stops: behind this byte of its sound, and after so many characters if a sentence ends there."""

    byte: int
    characters: int | None


def stops(marks: Marks, received: int, complete: bool) -> list[Stop]:
    """The ends of sentences in these words, of which so many bytes of sound have come. `complete`: that is all."""
    text, found = "".join(words for _, words in marks), []
    begins = list(accumulate((len(words) for _, words in marks), initial=0))
    for end in END.finditer(text):
        mark = bisect_right(begins, end.end() - 1) - 1
        byte, said = marks[mark][0], end.end() - begins[mark]
        if mark + 1 < len(marks) or complete:
            until = marks[mark + 1][0] if mark + 1 < len(marks) else received
            by_mark = byte + (until - byte) * said // len(marks[mark][1])
        else:
            by_mark = byte + _spoken(said)
        by_share = received * end.end() // len(text) if complete else _spoken(end.end())
        at = max(by_mark, by_share - NEAR - int(DRIFT * by_share))
        found.append(Stop(end.end(), at, NEAR + int(DRIFT * (at - byte))))
    return found


def _spoken(characters: int) -> int:
    """Bytes of sound of so many characters, at the highest pace."""
    return int(characters / CHARACTERS_A_MS) * BYTES_PER_MS


class Pauses:
    """The pauses in the sound of one reply from the byte `start` on, as it comes. `found` are their (begin, end)."""

    def __init__(self, start: int) -> None:
        self.found: list[tuple[int, int]] = []
        self._heard, self._quiet_since = start, start
        self._loudest = 0

    def hear(self, pcm: bytearray, released: int, most: int) -> None:
        """Listen to what is new in `pcm`, which begins at the byte `released`, up to the byte `most`."""
        new = array("h", bytes(pcm[max(0, self._heard - released) : max(0, most - released) // 2 * 2]))
        size = WINDOW // 2
        for at in range(0, len(new) - size + 1, size):
            window = new[at : at + size : EVERY]
            self._listen(max(window) - min(window))

    def _listen(self, swing: int) -> None:
        self._heard += WINDOW
        self._loudest = max(self._loudest, swing)
        if swing > max(FLOOR, self._loudest // SHARE):
            self._quiet_since = self._heard
        elif self._heard - self._quiet_since >= QUIET:
            if self.found and self.found[-1][0] == self._quiet_since:
                self.found.pop()
            self.found.append((self._quiet_since, self._heard))

    def place(self, ends: Sequence[Stop], anywhere: int) -> Place | None:
        """The first pause after the end of a sentence, or any from the byte `anywhere` on; None if none is known."""
        for begin, end in self.found:
            for stop in ends:
                if begin - stop.late <= stop.byte <= end + NEAR:
                    return Place(begin + QUIET, stop.characters)
            if end - QUIET >= anywhere:
                return Place(max(begin + QUIET, anywhere), None)
        return None
