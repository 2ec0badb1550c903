"""What an actor shows of itself, where a test must see what nobody is told."""

from typing import Any, TypeVar

from actors.runtime import LoopRef, Snapshot

S = TypeVar("S", bound=Snapshot)


def shown(ref: LoopRef[Any], kind: type[S]) -> S:
    """The snapshot of a living actor; AssertionError if it is of another kind, pykka.ActorDeadError if it is gone."""
    snapshot = ref.snapshot()
    assert isinstance(snapshot, kind), f"{ref} shows {snapshot}, no {kind.__name__}"
    return snapshot
