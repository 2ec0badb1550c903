"""An actor behind its reference, where a test must see what nobody is told."""

from typing import Any, TypeVar

from actors.runtime import LoopActor, LoopRef

A = TypeVar("A", bound=LoopActor[Any])


def actor(ref: LoopRef[Any], kind: type[A]) -> A:
    """The living actor that this refers to; AssertionError if it is of another kind, or gone."""
    found = ref._actor_weakref()
    assert isinstance(found, kind), f"{ref} is no living {kind.__name__}"
    return found
