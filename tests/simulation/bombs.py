"""Actors that crash in a run, because somebody wants that, and those that must not."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from actors.guardian import GuardianActor
from actors.runtime import Snapshot
from tests.kit.insides import shown
from tests.simulation.caller import Caller
from tests.simulation.world import Bomb, World


class Crashes(logging.Handler):
    """What actors report of their own crashes; those that nobody asked for are wrong."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if "Bomb" not in f"{error}":
            trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
            self._world.wrong(f"{record.getMessage()}: {error!r}\n{trace}")


@contextmanager
def watched(world: World) -> Iterator[None]:
    """Hear of crashes, and write no log: thousands of runs would be slowed down by theirs."""
    log, root, handler = logging.getLogger("actors.runtime.actor"), logging.getLogger(), Crashes(world)
    handlers, root.handlers = root.handlers, [logging.NullHandler()]
    logging.disable(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        logging.disable(logging.NOTSET)
        root.handlers = handlers


def bomb(world: World, actors: list[Any], callers: list[Caller]) -> None:
    """One of these actors crashes; that of a guardian is none of its call's."""
    if not actors:
        return
    ref = world.random.choice(actors)
    guards = ref.actor_class is GuardianActor
    world.note(ref.actor_class.__name__, "crashes")
    for caller in callers:
        if caller.session in (ref, shown(ref, Snapshot).parent):
            caller.ear.care.struck = caller.ear.care.struck or guards
            caller.bombed = caller.bombed or not guards
    ref.tell(Bomb())
