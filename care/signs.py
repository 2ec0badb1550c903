"""Looks for signs of danger in what a caller says, by the lists of signs.json."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Literal, TypeAlias, get_args

from care.folding import Folded, fold, windows
from care.phrases import END, Lists, Phrases, Unwritable

Kind: TypeAlias = Literal["suicide", "hurt", "medical", "child"]
"""suicide: suicide or self-harm. hurt: being hurt by others. medical: an emergency. child: the caller is under 18."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""The most urgent first: if a text has signs of several kinds, they are told in this order."""


@dataclass(frozen=True, slots=True)
class Worried:
    """A sign of danger. `sure`: the words leave little doubt; without, one should ask. Never a diagnosis."""

    kind: Kind
    sure: bool


class Signs:
    """The lists, compiled. Immutable; one serves all calls."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """`data` as in signs.json. Raises Unwritable if a phrase or a list makes no sense."""
        lists = Lists(data["lists"])
        said = [
            (phrase, Worried(_kind(group["kind"]), group["sure"])) for group in data["signs"] for phrase in group["say"]
        ]
        self._signs = Phrases(said, lists)
        self._idioms = Phrases(((phrase, None) for phrase in data["idioms"]), lists)
        self._asked = Phrases(((phrase, None) for phrase in data["asked"]), lists)
        self._yes = Phrases(((phrase, None) for phrase in data["yes"]), lists)
        self._no = Phrases(((phrase, None) for phrase in data["no"]), lists)

    def look(self, text: str) -> Worried | None:
        """The most urgent sign in a text of any length, or None. Never raises."""
        return next(iter(most_urgent(self.all(text))), None)

    def all(self, text: str) -> frozenset[Worried]:
        """Every sign in a text of any length."""
        return frozenset(worried for window in windows(text) for worried, _ in self.find((*fold(window), END)))

    def find(self, words: Folded) -> Iterator[tuple[Worried, int]]:
        """(sign, number of the word behind it) of each sign among folded words; END says that the text ends there."""
        return self._signs.find(self._idioms.hide(words))

    def asks(self, text: str) -> bool:
        """Whether these words of a persona ask the caller, directly, about suicide or self-harm."""
        return any(True for _ in self._asked.find(fold(text)))

    def affirms(self, text: str) -> bool:
        """Whether a caller who was asked says yes with these words, and does not say no."""
        spoken = fold(text)
        return any(True for _ in self._yes.find(spoken)) and not any(True for _ in self._no.find(spoken))

    def __len__(self) -> int:
        return len(self._signs)


@functools.cache
def shipped() -> Signs:
    """The lists that come with the server."""
    return Signs(json.loads(files("care").joinpath("signs.json").read_text(encoding="utf-8")))


def most_urgent(worries: Iterable[Worried]) -> list[Worried]:
    """Most urgent first."""
    return sorted(worries, key=_urgency)


def _urgency(worried: Worried) -> tuple[bool, int]:
    return not worried.sure, KINDS.index(worried.kind)


def _kind(written: str) -> Kind:
    for kind in KINDS:
        if kind == written:
            return kind
    raise Unwritable(f"there is no kind '{written}'")
