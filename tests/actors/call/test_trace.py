"""Where the time of a call goes, as spans: pure, and in a call on the stage."""

from typing import Any

from actors.call.phases import Phase, Phases
from actors.call.trace import MOST_OPEN, UNTRACED, CallTrace
from actors.counters import Counters
from actors.messages.caller import Chose, HungUp, Spoke
from actors.messages.ids import ChoiceId, Generation
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from tests.kit.four import PRIYANKA, TINA
from tests.kit.streaming import LOUD_FRAME, asked, begin, finish, give, on_the_line
from tracing.port import CallSpans, Span
from upstream.facts import BYTES_PER_MS, TurnId

ONE, TWO = TurnId(1), TurnId(2)


class Spans:
    """Keeps what it is told, as a tracer of one call."""

    def __init__(self) -> None:
        self.told: list[Span] = []
        self.call_span: Span | None = None

    def call(self, now: float) -> CallSpans:
        return self

    def add(self, span: Span) -> None:
        self.told.append(span)

    def end(self, call: Span) -> None:
        self.call_span = call

    def of(self, name: str) -> list[Span]:
        """The spans of this name."""
        return [span for span in self.told if span.name == name]

    def outcomes(self, name: str) -> list[object]:
        """How each of them ended."""
        return [span.facts.get("voice.outcome") for span in self.of(name)]


def parts(span: Span) -> list[tuple[str, float, float]]:
    """The parts of a span: from when to when."""
    return [(part.name, round(part.began, 3), round(part.ended, 3)) for part in span.parts]


def test_a_turn_has_the_phases_that_are_counted() -> None:
    """The same boundaries; it is over when its sound is released."""
    spans = Spans()
    phases = Phases(Counters(), CallTrace(spans, 0.0, {}))
    phases.heard(ONE, 0.25, 10.0)
    for phase, at in zip(list(Phase)[1:], (10.01, 10.5, 10.8, 10.82), strict=True):
        assert spans.told == []
        phases.reached(ONE, phase, at)
        phases.reached(ONE, phase, at + 1)  # what a second connection makes of it
    (told,) = spans.told
    assert (told.name, told.began, told.ended) == ("turn", 9.75, 10.82)
    whole = [
        ("heard", 9.75, 10.0),
        ("committed", 10.0, 10.01),
        ("created", 10.01, 10.5),
        ("first_audio", 10.5, 10.8),
        ("released", 10.8, 10.82),
    ]
    assert parts(told) == whole


def test_a_turn_of_clips_ends_with_its_first_sound() -> None:
    """It is handed on when something else is asked, or the call ends; one that nobody answered says so."""
    spans = Spans()
    trace = CallTrace(spans, 0.0, {"voice.session": "a-1"})
    phases = Phases(Counters(), trace)
    phases.asked(ONE, 1.0)
    phases.reached(ONE, Phase.CREATED, 1.5)
    phases.reached(ONE, Phase.FIRST_AUDIO, 2.0)
    phases.asked(TWO, 9.0)
    assert [(one.name, one.began, one.ended) for one in spans.told] == [("turn", 1.0, 2.0)]
    trace.end(12.0, 1000)
    assert [(one.began, one.ended) for one in spans.told] == [(1.0, 2.0), (9.0, 12.0)]
    assert spans.outcomes("turn") == [None, "the call ended"]
    assert spans.call_span == Span("call", 0.0, 12.0, {"voice.session": "a-1", "voice.code": 1000})


def test_what_is_open_is_bounded() -> None:
    """Turns that nobody answers are handed on one by one; a call that fails is marked."""
    spans = Spans()
    trace = CallTrace(spans, 0.0, {})
    for number in range(MOST_OPEN + 5):
        trace.asked(TurnId(number), float(number))
    assert spans.outcomes("turn") == ["forgotten"] * 5
    trace.end(100.0, 4500)
    assert spans.call_span
    assert spans.call_span.failed
    assert len(spans.told) == MOST_OPEN + 5


def test_choices_and_connections_say_what_became_of_them() -> None:
    """Each is told once."""
    spans = Spans()
    trace = CallTrace(spans, 0.0, {})
    for choice in (1, 2, 3):
        trace.chose(ChoiceId(choice), float(choice))
    trace.chosen(ChoiceId(2), "declined", "", 4.0)
    trace.chosen(ChoiceId(3), "on the line", TINA, 5.0)
    trace.chosen(ChoiceId(3), "on the line", TINA, 6.0)
    assert spans.outcomes("choose") == ["declined", "on the line", "replaced by a newer choice"]
    trace.dialled(Generation(1), 1.0)
    trace.connected(Generation(1), "ready", 2.0)
    trace.connected(Generation(1), "lost", 3.0)
    trace.dialled(Generation(2), 3.0)
    trace.connected(Generation(2), "lost", 4.0)
    assert [(one.facts["voice.outcome"], one.failed) for one in spans.of("connect")] == [
        ("ready", False),
        ("lost", True),
    ]


def test_a_streamed_call(stage: Stage) -> None:
    """The greeting's phases, the turn's, a switch to another persona: all within the call."""
    spans = Spans()
    scene = Scene(stage, tracer=spans)
    scene.says(Chose(TINA, "stream"))
    wire = scene.wire(1)
    stage.advance(0.5)
    wire.welcome()
    stage.settle()
    greeting = asked(wire)
    stage.advance(0.25)
    begin(wire, "greeting", greeting)
    stage.advance(0.25)
    give(wire, "greeting", "Namaste", 0.5)
    stage.advance(1.0)
    finish(wire, "greeting")
    stage.advance(1.0)
    (choose,), (connect,), (greet,) = spans.of("choose"), spans.of("connect"), spans.of("greet")
    assert (choose.facts["voice.persona"], round(choose.ended - choose.began, 3)) == (TINA, 0.5)
    assert (connect.facts["voice.outcome"], round(connect.ended - connect.began, 3)) == ("ready", 0.5)
    assert [name for name, *_ in parts(greet)] == ["created", "first_audio", "released"]
    assert [round(part.ended - part.began, 2) for part in greet.parts] == [0.25, 0.25, 0.0]
    scene.says(Chose(PRIYANKA))
    scene.wire(2).welcome()
    stage.settle()
    scene.says(HungUp())
    stage.advance(5.0)
    assert [one.facts["voice.persona"] for one in spans.of("choose")] == [TINA, PRIYANKA]
    assert spans.outcomes("greet") == [None, "the call ended"]
    assert spans.call_span
    assert spans.call_span.facts["voice.code"] == 1000
    assert spans.call_span.facts["voice.user"] == scene.services.pseudonym("somebody") != "somebody"
    scene.end()


def test_a_frame_of_audio_tells_a_trace_nothing(stage: Stage) -> None:
    """However long somebody speaks: only the turns are told."""
    told: list[str] = []

    class Counting(CallTrace):
        def __getattribute__(self, name: str) -> object:
            if not name.startswith("_"):
                told.append(name)
            return super().__getattribute__(name)

    scene = Scene(stage)
    on_the_line(scene)
    session: Any = scene.session._actor_weakref()
    assert session.trace is UNTRACED
    session.trace = session._outbound.phases._trace = Counting(Spans(), 0.0, {})
    for _ in range(500):
        scene.says(Spoke(LOUD_FRAME))
        stage.advance(len(LOUD_FRAME) / BYTES_PER_MS / 1000)
    assert told == []
    scene.end()
