"""Turns the events of a connection into steps, according to its faults. No socket, no task, no clock.

Whoever drives a session passes every event through a `Misbehaviour` and executes the steps that it returns, in order.
Without faults, an event to be sent becomes one Deliver, and one that was received becomes one Accept.

    event ─▶ _due: the faults triggered by it ─▶ _steps:  first (sent before it) + itself (as changed) + last (Fail)
                                                            └─ cut after a step that ends the connection
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from typing import assert_never

import orjson

from engine.faults.faults import (
    Abort,
    Accept,
    Binary,
    Change,
    Close,
    Delay,
    Deliver,
    Divide,
    Drop,
    Duplicate,
    Error,
    Expire,
    Fail,
    Fault,
    Garbage,
    Half,
    Huge,
    Kind,
    Late,
    Refuse,
    Stall,
    Step,
    Strip,
    Unknown,
    Wait,
    error_of,
)
from realtime.server.conversation import event, new_id
from realtime.server.settings import Event


class Misbehaviour:
    """The faults of one connection. After a step that ends it (refuse, close, abort, stall) there are no more steps."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults: defaultdict[tuple[str | float, int], list[Kind]] = defaultdict(list)
        for fault in faults:
            self._faults[fault.on, fault.nth].append(fault.do)
        self._happened: Counter[str | float] = Counter()
        self._failed: dict[str, Fail] = {}  # by response
        self._deltas: dict[str, Event] = {}  # the last ones of the response under way, by type
        self._late = False
        self._over = False

    @property
    def ages(self) -> list[float]:
        """The ages in seconds after the 101 at which `aged` must be called, sorted."""
        return sorted({on for on, _ in self._faults if not isinstance(on, str)})

    @property
    def pending(self) -> int:
        """The number of triggers that have not occurred yet."""
        return len(self._faults)

    def connecting(self) -> list[Step]:
        """The steps before the handshake is answered."""
        return self._steps(self._due("connect"), [])

    def opened(self) -> list[Step]:
        """The steps after the 101."""
        return self._steps(self._due("open"), [])

    def aged(self, seconds: float) -> list[Step]:
        """The steps at one of the `ages`."""
        return self._steps(self._due(seconds), [])

    def received(self, came: Event) -> list[Step]:
        """The steps for an event that the client has sent."""
        return self._steps(self._due(str(came.get("type"))), [Accept(came)], came)

    def sending(self, fact: Event) -> list[Step]:
        """The steps for an event that the session sends."""
        due = self._due(fact["type"])
        fact = self._as_failed(fact, due)
        steps = self._steps(due, [Deliver(_text(fact))], fact)
        return steps + self._late_deltas(fact)

    def _due(self, on: str | float) -> list[Kind]:
        self._happened[on] += 1
        return [] if self._over else self._faults.pop((on, self._happened[on]), [])

    def _steps(self, due: Iterable[Kind], itself: list[Step], struck: Event | None = None) -> list[Step]:
        first: list[Step] = []
        last: list[Step] = []
        for kind in due:
            match kind:
                case Wait() | Refuse() | Close() | Abort() | Stall() | Divide():
                    first.append(kind)
                case Expire():
                    first += [_error_event("session_expired"), Close(1001, "session_expired")]
                case Unknown():
                    first.append(Deliver(_text(event("session.never_heard_of", more={"is": "unknown"}))))
                case Garbage():
                    first.append(Deliver("}This is no JSON{"))
                case Error(code, message, echo):
                    first.append(_error_event(code, message, struck.get("event_id") if struck and echo else None))
                    itself = [] if echo else itself
                case Fail():
                    last.append(kind)
                case Late():
                    self._late = True
                case _:
                    assert struck is not None  # the script allows these only where there is an event
                    itself = _changed(kind, itself, struck)
        return self._up_to_the_end([*first, *itself, *last])

    def _up_to_the_end(self, steps: list[Step]) -> list[Step]:
        if self._over:
            return []
        for at, step in enumerate(steps):
            if isinstance(step, Refuse | Close | Abort | Stall):
                self._over = True
                return steps[: at + 1]
        return steps

    def _as_failed(self, fact: Event, due: list[Kind]) -> Event:
        """The event; a response.done with status `failed`, if its response was created before the Fail was executed."""
        response = fact.get("response_id") or fact.get("response", {}).get("id")
        for kind in due:
            if response and isinstance(kind, Fail):
                self._failed[response] = kind
        if fact["type"] != "response.done" or response not in self._failed:
            return fact
        details = {"type": "failed", "error": self._failed.pop(response).error}
        due[:] = [kind for kind in due if not isinstance(kind, Fail)]
        return {**fact, "response": {**fact["response"], "status": "failed", "status_details": details}}

    def _late_deltas(self, fact: Event) -> list[Step]:
        if fact["type"] == "response.created":
            self._deltas.clear()
        elif "response_id" in fact and "delta" in fact:
            self._deltas[fact["type"]] = fact
        elif self._late and self._deltas and fact.get("response", {}).get("status") == "cancelled":
            self._late = False
            again = [{**delta, "event_id": new_id("event")} for delta in self._deltas.values()]
            return self._up_to_the_end([Deliver(_text(delta)) for delta in again])
        return []


def _changed(kind: Change, itself: list[Step], struck: Event) -> list[Step]:
    """The steps for the triggering event `struck`, as this kind of fault changes it."""
    match kind:
        case Duplicate():
            return itself * 2
        case Drop():
            return []
        case Delay(seconds):
            return [Deliver(_text(struck), seconds)]
        case Strip(field):
            return [Deliver(_text(_without(struck, field.split("."))))]
        case Huge(size):
            large = "delta" if "delta" in struck else "padding"
            return [Deliver(_text({**struck, large: "A" * (size // 4 * 4)}))]  # as base64 it is silence, nearly
        case Half():
            whole = _text(struck)
            return [Deliver(whole[: len(whole) // 2])]
        case Binary():
            return [Deliver(orjson.dumps(struck))]
        case _:
            assert_never(kind)


def _without(whole: Event, path: list[str]) -> Event:
    """A copy without the value at this path, if there is one."""
    copy = deepcopy(whole)
    parent: object = copy
    for name in path[:-1]:
        parent = parent.get(name) if isinstance(parent, dict) else None
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
    return copy


def _error_event(code: str, message: str = "", event_id: str | None = None) -> Deliver:
    """An `error` event."""
    return Deliver(_text(event("error", error={**error_of(code, message), "param": None, "event_id": event_id})))


def _text(fact: Event) -> str:
    return orjson.dumps(fact).decode()
