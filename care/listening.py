"""Follows both transcripts of a call as they come, in pieces, and says what there is to worry about."""

from collections.abc import Collection, Hashable, Iterable
from typing import TypeAlias

from care.folding import WINDOW, fold
from care.helplines import Helpline, names_one
from care.phrases import END
from care.signs import Signs, Worried, most_urgent

HELD = 3
"""The last words of an unfinished transcript are not decided on: what follows may change them ("die ... laughing")."""

STEP = 24
"""An unfinished transcript is looked at after so many more characters: five words, some two seconds of speech."""

_OPEN = 4  # unfinished transcripts that are followed at once; of an older one only the whole is read

Turn: TypeAlias = Hashable
"""A turn of the caller's, and the answer to it."""


class Listener:
    """One call's. A sign is told once for each kind, and once more when the kind becomes sure; not what is `known`.

    A persona who asks directly, and a caller who says yes, are a sign as well: suicide, sure.
    """

    def __init__(self, signs: Signs, helplines: Collection[Helpline] = (), known: Iterable[Worried] = ()) -> None:
        self._signs, self._helplines = signs, helplines
        self._told: dict[str, bool] = {sign.kind: sign.sure for sign in known}  # kind -> whether it was sure
        self._running: dict[tuple[str, Turn], tuple[str, int]] = {}  # the end of a transcript, characters not looked at
        self._asked: Turn | None = None  # in the answer to which turn the persona asked directly, if it was the last

    @property
    def is_sure(self) -> bool:
        """A sign of danger was told that is sure: what else is found adds little. A child is in no danger for that."""
        return any(sure for kind, sure in self._told.items() if kind != "child")

    def judged(self, found: Iterable[Worried]) -> list[Worried]:
        """Somebody else has found these. What is new to worry about, most urgent first; nothing is taken back."""
        return self._new(found)

    def know(self, helplines: Collection[Helpline]) -> None:
        """From now on help is named by these."""
        self._helplines = helplines

    def heard(self, turn: Turn, piece: str) -> list[Worried]:
        """The caller has said some more. What is new to worry about, most urgent first."""
        text = self._more(("heard", turn), piece)
        words = fold(text)
        known = len(words) // 2 if len(text) == WINDOW else 0  # of a full window, the first half was looked at before
        return self._new(sign for sign, end in self._signs.find(words) if known < end <= len(words) - HELD)

    def heard_all(self, turn: Turn, window: str) -> list[Worried]:
        """The caller has said this: a whole transcript, or a window of a long one (care/folding.py)."""
        self._running.pop(("heard", turn), None)
        found = {sign for sign, _ in self._signs.find((*fold(window), END))}
        if self._asked not in (None, turn):  # a transcript may come after the answer to it
            if self._signs.affirms(window):
                found.add(Worried("suicide", sure=True))
            self._asked = None
        return self._new(found)

    def said(self, turn: Turn, piece: str) -> bool:
        """The persona has said some more of the answer to this turn. Whether it named a helpline in the last words."""
        return self._learn(turn, self._more(("said", turn), piece))

    def said_all(self, turn: Turn, window: str) -> bool:
        """The persona has said this, as in `heard_all`. Whether it names a helpline."""
        self._running.pop(("said", turn), None)
        return self._learn(turn, window)

    def _learn(self, turn: Turn, text: str) -> bool:
        if self._signs.asks(text):
            self._asked = turn
        elif self._asked != turn:
            self._asked = None
        return names_one(text, self._helplines)

    def _more(self, key: tuple[str, Turn], piece: str) -> str:
        """The end of the transcript with this piece, if it is to be looked at now; else an empty text."""
        before, waiting = self._running.pop(key, ("", 0))
        text, waiting = (before + piece)[-WINDOW:], waiting + len(piece)
        self._running[key] = (text, waiting if waiting < STEP else 0)
        if len(self._running) > _OPEN:
            del self._running[next(iter(self._running))]
        return text if waiting >= STEP else ""

    def _new(self, found: Iterable[Worried]) -> list[Worried]:
        new: dict[str, Worried] = {}
        for sign in most_urgent(found):  # of one kind the sure one first
            if sign.kind not in new and sign.sure > self._told.get(sign.kind, -1):
                new[sign.kind] = sign
        self._told |= {kind: sign.sure for kind, sign in new.items()}
        return list(new.values())
