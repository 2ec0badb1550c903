"""Every state, and whatever may come in it: nothing raises, and the connection goes on or says that it cannot."""

from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import orjson
import pytest

from realtime.client.protocol import EXPECTED, Protocol
from realtime.client.states import BEGAN, DONE, KNOWN, REGIONS, Caller, Model, Session, diagram
from tests.realtime.client.samples import EVENTS, about
from upstream.commands import AskClip, AskText, ConfigureSession, Leave, Retry, SetTurnDetection, UpdateInstructions
from upstream.facts import Event, ReplyAudio, Setup, TurnId, Unusable

TINA = Setup("You are Tina.", "marin", "hi", listens=True)
OTHERS: list[Any] = [None, 7, "x", [], {}, [{}], {"x": 1}]
BEFORE = [event for event in EVENTS if event in KNOWN]


class Talk:
    """A protocol, and an upstream that says what the test says."""

    def __init__(self) -> None:
        self.ours = Protocol()
        self.sent: list[str] = []
        self.ours.send(ConfigureSession(TINA))

    def say(self, kind: str, **fields: Any) -> list[Event]:
        """One event, and what we send after it."""
        facts = self.ours.receive(orjson.dumps({"type": kind, **fields}))
        self.send()
        return facts

    def send(self) -> None:
        """All that we have to say."""
        self.sent += [orjson.loads(frame)["type"] for frame in self.ours.to_send()]

    def created(self) -> None:
        self.say("session.created", session={})

    def open(self) -> None:
        self.created()
        self.updated()

    def updated(self) -> None:
        listens = self.ours._session_setup.setup and self.ours._session_setup.setup.listens
        rules = {"type": "server_vad", "create_response": True, "interrupt_response": True} if listens else None
        hears = {"turn_detection": rules}
        self.say("session.updated", session={"audio": {"input": hears, "output": {"voice": "marin"}}})

    def think(self) -> None:
        self.open()
        self.ours.send(AskText(TurnId(1), "one"))
        self.send()

    def answer(self) -> None:
        self.think()
        self.say("response.created", response={"id": "live", "metadata": {"ask": "1"}})

    def sound(self) -> None:
        self.answer()
        self.say("response.output_item.added", response_id="live", item={"id": "said"})
        self.say("response.output_audio.delta", response_id="live", delta="AAAA")

    def speech(self) -> None:
        self.open()
        self.say("input_audio_buffer.speech_started", item_id="turn", audio_start_ms=0)

    def barge_in(self) -> None:
        self.sound()
        self.say("input_audio_buffer.speech_started", item_id="turn", audio_start_ms=0)

    def commit(self) -> None:
        self.speech()
        self.say("input_audio_buffer.speech_stopped", item_id="turn", audio_end_ms=9)
        self.say("input_audio_buffer.committed", item_id="turn")

    def postpone(self) -> None:
        self.answer()
        details = {"error": {"code": "rate_limit_exceeded", "message": "later"}}
        self.say("response.done", response={"id": "live", "status": "failed", "status_details": details})

    def tune(self) -> None:
        self.open()
        self.ours.send(SetTurnDetection(False))
        self.send()

    def instruct(self) -> None:
        self.speech()
        self.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
        self.send()

    def clip(self) -> None:
        self.tune()
        self.updated()
        self.ours.send(AskClip(TurnId(1), bytes(9600)))
        self.send()

    def retire(self) -> None:
        self.sound()
        self.ours.send(Leave())
        self.send()

    def close(self) -> None:
        self.open()
        self.say("error", error={"code": "session_expired", "message": "over"})

    def mend(self) -> None:
        """Bring to its end what is under way."""
        for _ in range(9):
            match self.ours.states.session, self.ours.states.model:
                case Session.CONNECTING, _:
                    self.created()
                case ((Session.OPENING | Session.TUNING), _):
                    self.updated()
                case _, Model.THINKING:
                    self.say("response.created", response={"id": f"mending {len(self.sent)}"})
                case _, Model.ANSWERING:
                    active = self.ours._replies.active
                    assert active
                    self.say("response.done", response={"id": active.id, "status": "completed"})
                case _ if self.ours.states.caller is Caller.SPEAKING:
                    self.say("input_audio_buffer.committed", item_id="turn")
                    self.say("input_audio_buffer.committed", item_id="x")
                case _:
                    self.ours.send(Retry())
                    self.send()

    def serves(self) -> bool:
        """A typed turn is answered, and its answer can be heard."""
        self.ours.send(AskText(TurnId(99), "still there?"))
        self.send()
        self.say("response.created", response={"id": "last", "metadata": {"ask": "99"}})
        last = self.ours._replies.get("last")
        assert last
        return self.say("response.output_audio.delta", response_id="last", delta="AAAA") == [
            ReplyAudio(last.number, bytes(3))
        ]


STATES: dict[str, Callable[[Talk], None]] = {
    "connecting": lambda talk: None, "opening": Talk.created, "idle": Talk.open, "thinking": Talk.think,
    "answering": Talk.answer, "speaking": Talk.sound, "caller speaks": Talk.speech, "barge-in": Talk.barge_in,
    "committed": Talk.commit, "postponed": Talk.postpone, "tuning": Talk.tune, "instructed": Talk.instruct,
    "clip": Talk.clip, "retiring": Talk.retire, "closed": Talk.close,
}  # fmt: skip
ENDING = ["retiring", "closed"]


def reach(state: str) -> Talk:
    """A connection in this state."""
    talk = Talk()
    STATES[state](talk)
    return talk


def spoilt(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The event, then with each of its fields missing, null, and of other types, two levels deep."""
    yield event
    for name in event.keys() - {"type"}:
        yield {key: value for key, value in event.items() if key != name}
        for other in OTHERS:
            yield {**event, name: other}
        if isinstance(event[name], dict):
            for inner in spoilt({"type": "", **event[name]}):
                yield {**event, name: inner}


def check_types(fact: Event) -> None:
    """Whatever came, those who are told can rely on what they are told."""
    for name, named in get_type_hints(type(fact)).items():
        kind = getattr(named, "__supertype__", named)  # of a NewType
        if kind in (int, str, bytes):
            assert type(getattr(fact, name)) is kind, f"{fact}.{name}"


def test_every_event_of_the_api_is_known() -> None:
    """Each of the SDK's types is handled, or ignored on purpose; the others are of parts that we do not use."""
    unused = {kind for kind in EVENTS if "mcp" in kind or "function_call" in kind or kind.startswith("output_audio_")}
    talk = reach("idle")
    for kind in EVENTS:
        talk.ours.receive(orjson.dumps(about(kind, "none", "none")))
    counted = {kind for kind in EVENTS if kind in talk.ours.anomalies}
    assert counted <= unused | {
        "conversation.item.created", "conversation.item.retrieved",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.dtmf_event_received", "response.output_text.delta", "response.output_text.done",
    }  # fmt: skip
    assert not EXPECTED & counted


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("state", [state for state in STATES if state not in ENDING])
def test_whatever_comes_the_connection_goes_on_or_says_that_it_cannot(state: str, kind: str) -> None:
    """Whole, with parts missing, and with parts that are something else: afterwards a turn is still answered."""
    for event in spoilt(about(kind, "live", "turn")):
        talk = reach(state)
        facts = talk.ours.receive(orjson.dumps(event))
        talk.send()
        for fact in facts:
            check_types(fact)
        if any(isinstance(fact, Unusable) for fact in facts):
            assert talk.ours.states.closed
            continue
        talk.mend()
        assert talk.serves(), (event, talk.ours.states.__dict__)


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("state", ENDING)
def test_a_connection_that_is_left_asks_nothing_more(state: str, kind: str) -> None:
    """One that is closed says nothing at all."""
    for event in spoilt(about(kind, "live", "turn")):
        talk = reach(state)
        before = len(talk.sent)
        facts = talk.ours.receive(orjson.dumps(event))
        talk.send()
        assert "response.create" not in talk.sent[before:]
        assert state == "retiring" or (not facts and len(talk.sent) == before)


@pytest.mark.parametrize("kind", BEFORE)
@pytest.mark.parametrize("state", STATES)
def test_the_table_is_what_happens(state: str, kind: str) -> None:
    """A region goes where its rows lead; what one does not admit is counted, and leads nowhere."""
    talk = reach(state)
    states, before = talk.ours.states, {region: getattr(talk.ours.states, region) for region in REGIONS}
    counted = states.anomalies.total()
    talk.ours.receive(orjson.dumps(about(kind, "new" if kind == BEGAN else "live", "turn")))
    for region, was in before.items():
        rows, now = REGIONS[region], getattr(states, region)
        assert now is was or now in rows[was].values() or any(now in rows[to].values() for to in rows[was].values())
        begun_unseen = kind == DONE and was is Model.THINKING  # it is over, so it had begun
        if region in KNOWN[kind] and kind not in rows[was] and Session.CLOSED not in (was, before["session"]):
            assert now is was or begun_unseen
            assert states.anomalies.total() > counted


def test_the_diagram_has_every_state_and_every_way() -> None:
    """It is made of the tables, so it cannot lie."""
    drawn = diagram()
    assert drawn.startswith("stateDiagram-v2\n")
    assert drawn.count("        --\n") == len(REGIONS) - 1
    assert "session_opening --> session_open : session.updated" in drawn
    for region, table in REGIONS.items():
        assert f"[*] --> {region}_{next(iter(table)).value}" in drawn
        for state, row in table.items():
            assert f'state "{region}: {state.value}" as {region}_{state.value}' in drawn
            for event, to in row.items():
                way = f"{region}_{state.value} --> {region}_{to.value} : "
                (line,) = [line for line in drawn.splitlines() if way in line]
                assert event.replace("> ", "» ") in line.partition(" : ")[2].split(", ")
