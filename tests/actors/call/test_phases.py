"""Where the time of a turn goes: pure, and in a call on the stage."""

import logging

import pytest

from actors.call.phases import MOST_KEPT, MOST_TURNS, Phase, Phases
from actors.counters import PHASE_STEPS, Counters, Waits
from actors.messages.caller import Chose, Recorded, Spoke, Typed
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import TINA
from tests.kit.streaming import LOUD_FRAME, asked, begin, finish, give, on_the_line
from upstream.facts import BYTES_PER_MS, TurnId

ONE, TWO = TurnId(1), TurnId(2)


def seconds(counters: Counters) -> dict[str, list[float]]:
    """How many turns had each phase, and how long it took in all."""
    return {phase: [sum(waits.counts), round(waits.total, 3)] for phase, waits in counters.phases.items()}


def test_each_phase_is_counted_from_the_one_before() -> None:
    counters = Counters()
    phases = Phases(counters)
    phases.heard(ONE, 0.25, 10.0)
    for phase, at in zip(list(Phase)[1:], (10.01, 10.5, 10.8, 10.82), strict=True):
        phases.reached(ONE, phase, at)
    each = {"heard": 0.25, "committed": 0.01, "created": 0.49, "first_audio": 0.3, "released": 0.02}
    assert seconds(counters) == {phase: [1, took] for phase, took in each.items()}
    told = "heard:0.25/0.25,committed:0.01/0.01,created:0.49/0.49,first_audio:0.30/0.30,released:0.02/0.02"
    assert phases.told() == {"phases": told}


def test_what_does_not_exist_is_left_out() -> None:
    """A typed turn is not heard; nothing is known of one that nobody has begun; a call without turns says nothing."""
    counters = Counters()
    phases = Phases(counters)
    phases.reached(TWO, Phase.CREATED, 1.0)
    phases.heard(TurnId(0), 1.0, 1.0)
    assert (seconds(counters), phases.told()) == ({}, {})
    phases.asked(ONE, 1.0)
    phases.reached(ONE, Phase.COMMITTED, 1.1)
    phases.reached(ONE, Phase.CREATED, 1.5)
    assert seconds(counters) == {"created": [1, 0.5]}


def test_a_turn_has_each_phase_once() -> None:
    """What another connection makes of the same answer does not count again."""
    counters = Counters()
    phases = Phases(counters)
    phases.asked(ONE, 1.0)
    for at in (1.5, 7.5):
        phases.asked(ONE, at)
        phases.reached(ONE, Phase.CREATED, at)
        phases.reached(ONE, Phase.FIRST_AUDIO, at + 0.1)
    assert seconds(counters) == {"created": [1, 0.5], "first_audio": [1, 0.1]}


def test_a_long_call_keeps_little() -> None:
    """The newest turns, while the counters have them all."""
    counters = Counters()
    phases = Phases(counters)
    for number in range(1, 501):
        phases.asked(TurnId(number), number)
        phases.reached(TurnId(number), Phase.CREATED, number + (9.0 if number <= 400 else 1.0))
    assert phases.told() == {"phases": "created:1.00/1.00"}
    assert seconds(counters) == {"created": [500, 3700.0]}
    assert len(phases._reached) == MOST_TURNS
    assert [len(kept) for kept in phases._kept.values()] == [0, 0, MOST_KEPT, 0, 0]


def test_the_median_and_the_worst_of_twenty() -> None:
    phases = Phases(Counters())
    for number in range(1, 101):
        phases.asked(TurnId(number), 0.0)
        phases.reached(TurnId(number), Phase.CREATED, number / 100)
    assert phases.told() == {"phases": "created:0.51/0.96"}


@pytest.mark.parametrize(("wait", "place"), [(0.0, 0), (0.01, 0), (0.011, 1), (20.0, -2), (21.0, -1)])
def test_buckets_are_from_10_ms_to_20_s(wait: float, place: int) -> None:
    waits = Waits()
    waits.add(wait)
    assert waits.counts[place] == 1
    assert (PHASE_STEPS[0], PHASE_STEPS[-1]) == (0.01, 20.0)


def answer(scene: Scene, wire: Wire, response: str) -> None:
    """It is begun after 0.3 s, heard after 0.4 s more, and over."""
    scene.stage.advance(0.3)
    begin(wire, response, asked(wire) if response != "spoken" else None)
    scene.stage.advance(0.4)
    give(wire, response, "Yes.", 0.5)
    finish(wire, response)
    scene.stage.advance(1)


def test_a_spoken_turn_has_all_phases_and_a_typed_one_three(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """In the metrics, and in the line that is written when the call ends. The greeting is no turn."""
    wire = on_the_line(scene)
    for _ in range(55):
        scene.says(Spoke(LOUD_FRAME))
        scene.stage.advance(0.02)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=1000)
    scene.stage.advance(0.05)
    wire.say(type="input_audio_buffer.committed", item_id="one")
    answer(scene, wire, "spoken")
    scene.says(Typed("and when?"))
    scene.stage.settle()
    answer(scene, wire, "typed")
    each = {"heard": [1, 0.1], "committed": [1, 0.05], "created": [2, 0.6], "first_audio": [2, 0.8]}
    assert seconds(scene.services.counters) == {**each, "released": [2, 0.0]}
    with caplog.at_level(logging.INFO, "actors.session"):
        scene.end()
    (line,) = [said for said in caplog.messages if said.startswith("ended")]
    told = "heard:0.10/0.10,committed:0.05/0.05,created:0.30/0.30,first_audio:0.40/0.40,released:0.00/0.00"
    assert f" phases={told} " in line


def test_a_clip_has_two_phases(scene: Scene) -> None:
    """It is committed as it is asked for, and its answer is not released before it is whole."""
    scene.says(Chose(TINA, "clip"))
    wire = scene.wire(1)
    wire.welcome()
    wire.answer("Namaste.")
    scene.says(Recorded(bytes(200 * BYTES_PER_MS)))
    scene.stage.settle()
    wire.say(type="input_audio_buffer.committed", item_id="clip")
    answer(scene, wire, "clip")
    assert seconds(scene.services.counters) == {"created": [1, 0.3], "first_audio": [1, 0.4]}
