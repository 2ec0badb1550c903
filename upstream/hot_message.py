"""How the messages are declared that are made for every frame of audio."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, dataclass_transform

T = TypeVar("T")

if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True)
    def hot_message(cls: type[T]) -> type[T]:
        """A message as any other: frozen, which mypy alone holds."""

else:
    # A frozen dataclass sets each field through object.__setattr__, which takes twice as long.
    hot_message = dataclass(slots=True, unsafe_hash=True)
