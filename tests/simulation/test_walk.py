"""Every fault in every state of a call: it goes on, or ends with the code that is documented."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from actors.messages.caller import Mode
from engine.faults.script import CONNECT, KINDS
from realtime.server.settings import CLIENT_EVENTS
from tests.simulation.fate import CRASH, NOW, PARAMETERS, Mishap, moments
from tests.simulation.walk import HERE, STATES, Outcome, Walk

AUDIO = "response.output_audio.delta"
ALONE = {"connecting", "updating", "greeting", "idle", "user speaking", "model speaking"}
"""The states in which nobody else serves the caller."""
ANSWERING = {("greeting", "clip"), ("greeting", "stream"), ("model speaking", "clip"), ("model speaking", "stream"),
             ("user speaking", "clip")}  # fmt: skip
"""Where a response can fail: who has said a clip is being answered."""
MODES: tuple[Mode, ...] = ("clip", "stream")
QUICK = 12  # one in so many is walked in `make test`, all of them in `make test-all`


@cache
def met(state: str, mode: Mode) -> dict[str, Any]:
    """What comes on the connection in this state when nothing goes wrong, in order, each with an example."""
    walk = Walk(STATES[state], mode)
    walk.go()
    wanted = STATES[state].moments
    return {on: event for on, event in walk.met.items() if on in wanted or not wanted}


def strikes(state: str, mode: Mode, name: str, told: dict[str, Any]) -> Iterator[str]:
    """The moments of this state at which this is to happen."""
    events = met(state, mode)
    theirs = [on for on, event in events.items() if event and on not in CLIENT_EVENTS]
    if told.get("echo"):
        yield from (on for on, event in events.items() if on in CLIENT_EVENTS and "event_id" in event)
    elif NOW in moments(name):
        yield "session.update" if state == "updating" else "open" if state == "connecting" else NOW
        yield from (on for on in CONNECT if on in events and on in moments(name))
    elif name in ("drop", "duplicate"):
        yield from (on for on, event in events.items() if event)
    elif name in ("half", "delay"):
        yield from theirs
    elif name == "strip":
        everywhere = told["field"] in ("type", "event_id")  # once is enough: without a type it is as if it were lost
        yield from (on for on in theirs if _has(events[on], told["field"]) and (on == theirs[0] or not everywhere))
    elif name in ("huge", "binary"):
        yield from (on for on in theirs if on in (theirs[0], "session.updated", "response.created", AUDIO))
    else:
        yield from (on for on in CONNECT if on in events)


def _has(event: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(event, dict) or name not in event:
            return False
        event = event[name]
    return True


def is_fatal(state: str, mode: Mode, name: str, told: dict[str, Any], on: str) -> bool:
    """Whether another try would not help: our account, or what we ask for."""
    code = told.get("code")
    if name == "error" and told.get("echo"):
        return on == "session.update" and code != "rate_limit_exceeded"
    if name == "fail":
        return code == "insufficient_quota" and (state, mode) in ANSWERING
    return code in (3000, 4000, "insufficient_quota") or told.get("status") == 401


def outcome(state: str, mode: Mode, name: str, told: dict[str, Any], on: str) -> Outcome:
    """What docs/wire.md and realtime/client/errors.py say of it."""
    if not is_fatal(state, mode, name, told, on):
        return Outcome.ON
    if state in ALONE or (state, mode) == ("live while coming (rollover)", "clip"):
        return Outcome.ENDS  # what the caller says meanwhile the one that is coming does not know, so it does not serve
    return Outcome.BACK if state == "coming (switch)" else Outcome.ON


def cases() -> Iterator[Any]:
    """All of them, by name."""
    for state in STATES:
        for mode in MODES:
            for name in (*KINDS, CRASH):
                for told in PARAMETERS.get(name, ({},)):
                    for on in strikes(state, mode, name, told):
                        what = " ".join(map(str, [name, *told.values()]))
                        yield pytest.param(state, mode, name, told, on, id=f"{state}-{mode}-{what}-{on}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What comes in a state is known from a call in which nothing goes wrong."""
    if "on" in metafunc.fixturenames:
        everything = [
            pytest.param(*case.values, id=case.id, marks=pytest.mark.thorough if number % QUICK else ())
            for number, case in enumerate(cases())
        ]
        metafunc.parametrize(("state", "mode", "name", "told", "on"), everything)


def test_the_call_goes_on_or_ends_as_documented(
    state: str, mode: Mode, name: str, told: dict[str, Any], on: str
) -> None:
    """Every turn is answered once or told of, one greeting, nobody else's voice, and nothing is left."""
    Walk(STATES[state], mode, Mishap(name, told, HERE, on=on), outcome(state, mode, name, told, on)).go()


def test_every_fault_is_walked_in_every_state() -> None:
    """A new one too; what happens to a handshake is walked where there is one."""
    walked = {(case.values[0], case.values[2]) for case in cases()}
    opening = {"connecting", "coming (switch)", "coming (rollover)"}
    wanted = {(state, name) for state in STATES for name in (*KINDS, CRASH) if moments(name) != CONNECT}
    wanted |= {(state, name) for state in opening for name in KINDS if moments(name) == CONNECT}
    assert walked == wanted
