"""Follows both transcripts of a call as they come, in pieces, and says what there is to worry about."""

from collections.abc import Collection, Iterable

from care.folding import WINDOW, fold
from care.helplines import Helpline, names_one
from care.phrases import END
from care.signs import Signs, Worried, most_urgent

HELD = 3
"""The last words of an unfinished transcript are not decided on: what follows may change them ("die ... laughing")."""

_OPEN = 4  # transcripts that are followed at once; of an older one only the whole is read


class Listener:
    """One call's. A sign is told once for each kind, and once more when the kind becomes sure.

    A persona who asks directly, and a caller who says yes, are a sign as well: suicide, sure.
    """

    def __init__(self, signs: Signs, helplines: Collection[Helpline] = ()) -> None:
        self._signs, self._helplines = signs, helplines
        self._told: dict[str, bool] = {}  # kind -> whether it was sure
        self._running: dict[object, str] = {}  # the ends of unfinished transcripts
        self._asked = False

    def heard(self, transcript: object, piece: str) -> list[Worried]:
        """The caller has said some more. What is new to worry about, most urgent first."""
        text = self._more(transcript, piece)
        words = fold(text)
        known = len(words) // 2 if len(text) == WINDOW else 0  # of a full window, the first half was looked at before
        return self._new(sign for sign, end in self._signs.find(words) if known < end <= len(words) - HELD)

    def heard_all(self, transcript: object, window: str) -> list[Worried]:
        """The caller has said this: a whole transcript, or a window of a long one (care/folding.py)."""
        self._running.pop(transcript, None)
        found = {sign for sign, _ in self._signs.find((*fold(window), END))}
        if self._asked and self._signs.affirms(window):
            found.add(Worried("suicide", sure=True))
        self._asked = False
        return self._new(found)

    def said(self, transcript: object, piece: str) -> bool:
        """The persona has said some more. Whether a helpline was named in the last words."""
        return self._learn(self._more(transcript, piece))

    def said_all(self, transcript: object, window: str) -> bool:
        """The persona has said this, as in `heard_all`. Whether it names a helpline."""
        self._running.pop(transcript, None)
        return self._learn(window)

    def _learn(self, text: str) -> bool:
        self._asked = self._asked or self._signs.asks(text)
        return names_one(text, self._helplines)

    def _more(self, transcript: object, piece: str) -> str:
        text = (self._running.pop(transcript, "") + piece)[-WINDOW:]
        self._running[transcript] = text
        if len(self._running) > _OPEN:
            del self._running[next(iter(self._running))]
        return text

    def _new(self, found: Iterable[Worried]) -> list[Worried]:
        new = [
            sign
            for sign in most_urgent(found)
            if self._told.get(sign.kind) is None or sign.sure > self._told[sign.kind]
        ]
        first = {sign.kind: sign for sign in reversed(new)}  # of one kind the sure one, which stands first
        self._told |= {kind: sign.sure for kind, sign in first.items()}
        return [sign for sign in new if first[sign.kind] is sign]
