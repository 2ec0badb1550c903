"""The connections of a caller: one is attached, names whom it calls, is lost sight of, or asks to go on."""

from collections.abc import Callable

from actors.admission.waiting import Holding
from actors.call.intake import Intake
from actors.call.moving.kept_call import Alone
from actors.call.resume.absence import Absence
from actors.call.room import Room
from actors.call.switchboard import Switchboard
from actors.messages.admission import Attached, LostSight, Resume, SeenAgain, Wished


class Connections:
    """`holding` counts what waits for the caller on a connection of this number."""

    def __init__(
        self,
        absence: Absence,
        switchboard: Switchboard,
        intake: Intake,
        moving: Alone,
        room: Room,
        holding: Callable[[int], Holding],
    ) -> None:
        self._absence, self._switchboard, self._room, self._intake = absence, switchboard, room, intake
        self._moving, self._holding = moving, holding
        self._caller = switchboard.conversation.caller

    def come(self, message: Attached | Wished | Resume | LostSight | SeenAgain, *, over: bool) -> None:
        """Something of a connection. `over`: the call is."""
        match message:
            case Attached(connection, outbox, mode):
                self._caller.attach(connection, outbox, self._room)
                self._room.of(self._holding(connection))
                if mode:
                    self._switchboard.mode.set(mode)
                self._moving.begin()
            case Wished(connection, wish):
                if connection == self._caller.connection and not over:
                    self._intake.hear(wish)
            case _:
                self._absence.come(message, over=over)
