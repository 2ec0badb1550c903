"""A call whose budget is spent: a word before, and the end at the end of a sentence."""

from base64 import b64encode

from actors.budgets.limits import Budgets
from actors.messages.admission import Drain, Leaving
from actors.messages.caller import Chose, Close, HungUp, Notice, ResponseDone, Sound, Summary, Transcript, Typed
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from tests.kit.away import FragileCall
from tests.kit.four import MOHIT, TINA
from tests.kit.parts import tone
from tests.kit.streaming import asked, begin, on_the_line
from upstream.models import named

RATE = 48_000
PAUSE = bytes(int(0.4 * RATE))


def done(wire: Wire, response: str, tokens: int, status: str = "completed") -> None:
    """It is done, and came to so many tokens of sound."""
    usage = {"output_token_details": {"audio_tokens": tokens}}
    wire.say(type="response.done", response={"id": response, "status": status, "usage": usage})


def answered(scene: Scene, wire: Wire, tokens: int, response: str = "answer") -> None:
    """A typed turn is answered with a tone of a second."""
    scene.says(Typed("tell me"))
    scene.stage.settle()
    begin(wire, response, asked(wire))
    say(wire, response, "Well. ", tone(1.0))
    done(wire, response, tokens)
    scene.stage.settle()


def say(wire: Wire, response: str, words: str, pcm: bytes) -> None:
    """Some more of the answer."""
    wire.say(type="response.output_audio_transcript.delta", response_id=response, delta=words)
    wire.say(type="response.output_audio.delta", response_id=response, delta=b64encode(pcm).decode())


def notices(scene: Scene) -> list[str]:
    """What the caller was told of budgets."""
    return [one.message for one in scene.caller.heard if isinstance(one, Notice) and one.code == "budget"]


def closes(scene: Scene) -> list[Close]:
    """How the call was closed."""
    return [one for one in scene.caller.heard if isinstance(one, Close)]


def test_a_word_before_and_the_end_after_a_sentence(stage: Stage) -> None:
    """The sentence that plays is heard to its end, the next one is not begun; then the bill, and 4402."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=1000))
    wire = on_the_line(scene)
    answered(scene, wire, 900)
    assert notices(scene) == ["Not much is left of what this call may cost: this call ends soon."]
    stage.advance(3)
    assert not closes(scene)
    scene.says(Typed("go on"))
    stage.settle()
    begin(wire, "last", asked(wire))
    first = tone(2.0) + PAUSE
    say(wire, "last", "It is so. ", first)
    say(wire, "last", "And this goes on. ", tone(3.0) + PAUSE)
    scene.caller.take()
    before = len(scene.caller.heard)
    done(wire, "last", 200)
    stage.advance(0.1)
    assert notices(scene)[1:] == ["What this call may cost is spent. This call ends at the next pause."]
    assert not closes(scene)
    stage.advance(6)
    assert closes(scene) == [Close(4402, "what this call may cost is spent")]
    told = scene.caller.heard[before:]
    sound = b"".join(one.pcm for one in scene.caller.heard if isinstance(one, Sound))
    assert len(tone(1.0) + first) - RATE <= len(sound) - RATE < len(tone(1.0) + first) + RATE // 2
    assert [one.text for one in told if isinstance(one, Transcript) and one.final] == ["It is so."]
    assert [one.status for one in told if isinstance(one, ResponseDone)] == ["incomplete"]
    assert isinstance(told[-2], Summary)
    scene.end()


def test_money_is_counted_by_the_prices_of_the_model(stage: Stage) -> None:
    """Sound costs 64 dollars a million: 15,625 tokens are one."""
    scene = Scene(stage, budgets=Budgets(budget_call_usd=1.0))
    scene.upstream.prices = named("gpt-realtime-2.1").prices
    wire = on_the_line(scene)
    answered(scene, wire, 15_624)
    assert len(notices(scene)) == 1
    stage.advance(2)
    answered(scene, wire, 1, "another")
    stage.advance(10)
    assert closes(scene) == [Close(4402, "what this call may cost is spent")]
    scene.end()


def test_a_call_of_clips_ends_when_the_answer_was_played(stage: Stage) -> None:
    """It is sent whole, and nothing comes behind it."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=10))
    wire = scene.on_the_line(TINA)
    answered(scene, wire, 10)
    assert not closes(scene)
    stage.advance(2)
    assert closes(scene)[0].code == 4402
    scene.end()


def test_a_switch_begins_no_new_budget(stage: Stage) -> None:
    """What the persona before has used counts, also what is told after it has left."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=1000))
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    stage.settle()
    begin(wire, "cut", asked(wire))
    scene.says(Chose(MOHIT))
    stage.settle()
    other = scene.wire(2)
    other.welcome()
    stage.settle()
    done(wire, "cut", 600, "cancelled")
    stage.settle()
    assert not notices(scene)
    begin(other, "hello", asked(other))
    say(other, "hello", "Hello. ", tone(1.0))
    done(other, "hello", 400)
    stage.advance(11)
    assert closes(scene)[0].code == 4402
    scene.end()


def test_who_is_away_is_told_when_they_are_back(stage: Stage) -> None:
    """Who does not come back within the last seconds has lost the call."""
    for seconds, codes in ((5.0, [4402]), (11.0, [])):
        scene = Scene(stage, budgets=Budgets(budget_call_tokens=1000))
        call = FragileCall(scene)
        scene.says(Typed("tell me"))
        stage.settle()
        begin(call.wire, "answer", asked(call.wire))
        say(call.wire, "answer", "Well. ", tone(1.0))
        call.goes()
        done(call.wire, "answer", 1000)
        stage.advance(seconds)
        if codes:
            call.comes_back()
            stage.advance(6)
            heard = call.line.heard
            assert [one.code for one in heard if isinstance(one, Notice)] == ["budget"]
            assert [one.code for one in heard if isinstance(one, Close)] == codes
        else:
            assert scene.supervisor.fish_for(Leaving).code == 4402
        scene.end()


def test_a_drain_on_top_of_it_changes_nothing(stage: Stage) -> None:
    """It ends for the reason that was told."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=10))
    wire = on_the_line(scene)
    answered(scene, wire, 10)
    scene.session.tell(Drain(10.0))
    stage.advance(11)
    assert closes(scene)[0].code == 4402
    scene.end()


def test_hanging_up_meanwhile(stage: Stage) -> None:
    """The call has ended as the caller wanted."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=10))
    answered(scene, on_the_line(scene), 10)
    scene.says(HungUp())
    stage.advance(1)
    assert closes(scene)[0].code == 1000
    scene.end()
