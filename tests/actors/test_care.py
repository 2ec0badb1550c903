"""A caller who may be in danger: told whom to call, kept on the line, and by nobody's mistake cut off."""

import logging
from base64 import b64encode
from typing import Any

import pytest

from actors.admission.draining import Draining
from actors.budgets.limits import Budgets
from actors.caring.places import Places
from actors.caring.settings import Caring
from actors.guardian import GuardianActor
from actors.messages.admission import Drain, Ended
from actors.messages.caller import Chose, Close, Error, Mode, Notice, Summary, Typed
from actors.messages.caring import Help, InCare
from actors.runtime import Stop
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from care import numbers, shipped
from personas import Profile
from tests.actors.test_disclosure import exactly
from tests.kit.away import FragileCall
from tests.kit.four import FREE, HARSH, MOHIT, PRIYANKA, TINA
from tests.kit.parts import tone
from tests.kit.streaming import asked, begin, finish, give, heard, on_the_line, speak, turn, write_down
from upstream.facts import BYTES_PER_MS

SIGN = "I want to die."
INDIA = [line.number for line in numbers("IN", "suicide")]
NAMED = "Please call Tele-MANAS on 1 4 4 1 6."


def hears_a_sign(scene: Scene, words: str = SIGN) -> Help:
    """The caller types it; what they are told."""
    scene.says(Typed(words))
    return scene.caller.fish_for(Help)


def in_danger(scene: Scene, astrologer_id: str = MOHIT) -> Wire:
    """A call in care, whose persona has named a helpline; what was told is taken."""
    wire = scene.on_the_line(astrologer_id)
    hears_a_sign(scene)
    wire.answer(NAMED)
    scene.stage.settle()
    scene.caller.take()
    return wire


def instructions(wire: Wire) -> str:
    """Those that hold on this connection."""
    told = [event["session"] for event in wire.sent if event["type"] == "session.update"]
    words: str = [session["instructions"] for session in told if "instructions" in session][-1]
    return words


def closes(scene: Scene) -> list[int]:
    """With what the call ended since the last look; before it the numbers were told, and the summary has them."""
    told = scene.caller.take()
    ends = [said.code for said in told if isinstance(said, Close)]
    if ends:
        kinds = [type(said) for said in told]
        assert kinds.index(Help) < kinds.index(Summary) < kinds.index(Close)
        (summary,) = (said for said in told if isinstance(said, Summary))
        assert [line.number for line in summary.help] == INDIA
    return ends


def used(wire: Wire, tokens: int) -> None:
    """The newest answer has used so many."""
    begin(wire, response := f"used {tokens}", asked(wire))
    give(wire, response, "Yes.")
    wire.say(type="response.done", response={"id": response, "status": "completed", "usage": usage(tokens)})


def usage(tokens: int) -> dict[str, Any]:
    """Of a reply of so many."""
    return {"output_token_details": {"audio_tokens": tokens}}


# What they are told.


def test_the_numbers_are_told_at_once(scene: Scene) -> None:
    """Before any answer; and the prompt that holds says from now on how to go on."""
    wire = scene.on_the_line(MOHIT)
    told = hears_a_sign(scene)
    assert [line.number for line in told.numbers] == INDIA
    assert "1 4 4 1 6" in told.message
    assert not told.metered
    assert "\n\n# Care\n" in instructions(wire)
    assert "distance" in instructions(wire)


def test_a_helpline_is_spoken_where_the_next_answer_names_none(scene: Scene) -> None:
    """In exact words, right behind it; once."""
    wire = scene.on_the_line(MOHIT)
    hears_a_sign(scene)
    wire.answer("I am sorry to hear that.")
    scene.stage.settle()
    assert "1 4 4 1 6" in exactly(wire)[-1]
    count = len(exactly(wire))
    wire.answer(exactly(wire)[-1])
    scene.says(Typed("maybe"))
    wire.answer("I am here.")
    scene.stage.settle()
    assert len(exactly(wire)) == count


def test_none_is_spoken_where_the_answer_names_one(scene: Scene) -> None:
    """In words or digits."""
    wire = scene.on_the_line(MOHIT)
    count = len(exactly(wire))
    hears_a_sign(scene)
    wire.answer(NAMED)
    scene.stage.settle()
    assert len(exactly(wire)) == count


def test_in_the_language_of_the_persona(scene: Scene) -> None:
    """As every fixed word."""
    wire = scene.on_the_line(TINA)
    assert "1 4 4 1 6" in hears_a_sign(scene, "मैं मरना चाहता हूं").message
    wire.answer("मैं सुन रही हूं।")
    scene.stage.settle()
    assert exactly(wire)[-1].startswith("अच्छा हुआ")


def test_what_is_spoken_is_heard_in_a_stream_too(scene: Scene) -> None:
    """The words are written down when the answer is under way: the sentence comes next. Spoken over, it comes again."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", "Yes.")
    write_down(wire, "one", "main marna chahta hoon")
    scene.caller.fish_for(Help)
    finish(wire, "answer")
    scene.stage.advance(2)
    (sentence,) = exactly(wire)[1:]
    begin(wire, "help", asked(wire))
    give(wire, "help", sentence, 5)
    finish(wire, "help")
    scene.stage.advance(1)
    speak(scene, 1000)
    turn(wire, "two", 2000)
    begin(wire, "again")
    give(wire, "again", "Yes.")
    finish(wire, "again")
    scene.stage.advance(1)
    assert exactly(wire)[1:] == [sentence, sentence]


def test_what_was_said_before_a_loss_is_asked_before_what_is_said_after_it(scene: Scene) -> None:
    """The sentence comes first; what is spoken meanwhile waits behind the words that the lost connection had heard."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    write_down(wire, "one", "main marna chahta hoon")
    scene.caller.fish_for(Help)
    wire.lose()
    scene.stage.settle()
    speak(scene, 1000, mark=2)
    again = scene.wire(2)
    again.welcome()
    (sentence,) = exactly(again)
    begin(again, "help", asked(again))
    give(again, "help", sentence, 5)
    scene.stage.settle()
    assert (again.texts()[1:], heard(again)) == ([], b"")
    finish(again, "help")
    scene.stage.settle()
    assert again.texts()[1:] == [("user", "main marna chahta hoon")]
    assert heard(again).count(2) == 1000 * BYTES_PER_MS
    assert "input_audio_buffer.append" not in again.kinds[: again.sent.index(again.last("conversation.item.create"))]


def test_an_answer_that_named_one_before_the_sign_was_seen_is_enough(scene: Scene) -> None:
    """The model knew the words before they were written down."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", NAMED)
    finish(wire, "answer")
    scene.stage.advance(3)
    write_down(wire, "one", "main marna chahta hoon")
    scene.caller.fish_for(Help)
    scene.stage.advance(3)
    assert len(exactly(wire)) == 1


def test_the_numbers_are_those_of_the_callers_country(stage: Stage) -> None:
    """Of the profile, or else of the server."""
    for profile, country, first in (
        (None, "IN", "14416"),
        (None, "US", "988"),
        (Profile(country="GB"), "IN", "116 123"),
    ):
        scene = Scene(stage, caring=Caring(country=country))
        scene.says(Chose(MOHIT, profile=profile))
        scene.wire(1).welcome()
        assert hears_a_sign(scene).numbers[0].number == first
        scene.end()


def test_who_tells_another_country_gets_its_numbers_once_more(scene: Scene) -> None:
    """At once, in the prompt, spoken, and at the end; once, and never where nothing is to worry about."""
    wire = scene.on_the_line(MOHIT)
    scene.says(Chose(MOHIT, profile=Profile(country="US")))
    assert not [said for said in scene.caller.take() if isinstance(said, Help)]
    assert hears_a_sign(scene).numbers[0].number == "988"
    wire.answer("Please call 988.")
    scene.stage.settle()
    spoken = len(exactly(wire))
    for country in ("gb", "GB", ""):
        scene.says(Chose(MOHIT, profile=Profile(name="Asha", country=country)))
    scene.stage.settle()
    (told,) = (said for said in scene.caller.take() if isinstance(said, Help))
    assert told.numbers[0].number == "116 123"
    assert "1 1 6 1 2 3" in instructions(wire)
    assert "9 8 8" not in instructions(wire)
    assert len(exactly(wire)) == spoken + 1
    assert "1 1 6 1 2 3" in exactly(wire)[-1]
    wire.answer(exactly(wire)[-1])
    scene.says(Typed("thank you"))
    wire.answer("I am here.")
    scene.stage.settle()
    assert len(exactly(wire)) == spoken + 1
    scene.session.tell(Stop())
    assert scene.caller.fish_for(Help).numbers[0].number == "116 123"
    assert scene.caller.fish_for(Summary).help[0].number == "116 123"


def test_a_child_who_is_not_in_danger_is_talked_to_otherwise(scene: Scene) -> None:
    """Whom to call is told, nothing is spoken, and the limits hold; as a minor they pay nothing."""
    wire = scene.on_the_line(MOHIT)
    count = len(exactly(wire))
    told = hears_a_sign(scene, "I am 12 years old")
    assert (told.numbers[0].number, told.metered) == ("1098", False)
    wire.answer("How nice.")
    scene.stage.settle()
    assert len(exactly(wire)) == count
    assert "may be a child" in instructions(wire)
    assert not [told for told in scene.supervisor.take() if isinstance(told, InCare)]


# It goes on.


def test_the_meter_stops(scene: Scene) -> None:
    """Also after a switch, which would start it."""
    wire = scene.on_the_line(MOHIT)
    scene.stage.advance(20)
    hears_a_sign(scene)
    wire.answer(NAMED)
    scene.stage.advance(100)
    scene.says(Chose(PRIYANKA))
    scene.wire(2).welcome()
    scene.stage.advance(100)
    scene.session.tell(Stop())
    assert scene.caller.fish_for(Summary).bill.seconds == 20
    assert not [said for said in scene.caller.heard if isinstance(said, Notice) and said.code == "minute"]


@pytest.mark.parametrize("mode", ["clip", "stream"])
def test_care_stays_over_switch_loss_and_rollover(stage: Stage, mode: Mode) -> None:
    """Every connection to the model is told, whoever speaks on it."""
    scene = Scene(stage, FREE, limits=Limits(idle_seconds=7200, call_seconds=7200), caring=Caring(care_seconds=7200))
    scene.says(Chose(MOHIT, mode))
    scene.wire(1).welcome()
    scene.wire(1).answer("Hello.")
    scene.stage.advance(5)
    hears_a_sign(scene)
    scene.wire(1).answer(NAMED)
    scene.stage.advance(10)
    scene.says(Chose(PRIYANKA))
    scene.wire(2).welcome()
    scene.wire(2).answer("Hi.")
    scene.stage.advance(5)
    scene.wire(2).lose()
    scene.stage.advance(2)
    scene.wire(3).welcome()
    for _ in range(720):
        scene.stage.advance(5)
        if len(scene.upstream.dialled) > 3:
            break
    scene.wire(4).welcome()
    assert all("\n\n# Care\n" in instructions(scene.wire(number)) for number in (2, 3, 4))
    scene.end()


def test_the_longest_time_of_a_call_does_not_cut(stage: Stage) -> None:
    """But that of care does, at a pause, after the numbers were told again."""
    scene = Scene(stage, limits=Limits(call_seconds=120), caring=Caring(care_seconds=600))
    in_danger(scene)
    for number in range(11):
        scene.stage.advance(50)
        scene.says(Typed("I am still here"))
        scene.wire(1).answer(f"So am I, {number}.")
    assert closes(scene) == []
    scene.stage.advance(51)
    assert closes(scene) == [1000]


def test_silence_does_not_cut_before_five_minutes(stage: Stage) -> None:
    """However short the owner has made it."""
    scene = Scene(stage, limits=Limits(idle_seconds=30))
    in_danger(scene)
    scene.stage.advance(299)
    assert closes(scene) == []
    scene.stage.advance(2)
    assert closes(scene) == [4408]


def test_a_budget_of_the_callers_own_does_not_cut(stage: Stage) -> None:
    """Nobody even hears of it; what the whole server may spend does, and the numbers are told before."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=1000, budget_day_tokens=5000))
    wire = in_danger(scene)
    scene.says(Typed("one"))
    scene.stage.settle()
    used(wire, 2000)
    scene.stage.advance(30)
    told = scene.caller.take()
    assert not [
        said for said in told if isinstance(said, Close) or (isinstance(said, Notice) and said.code == "budget")
    ]
    scene.says(Typed("two"))
    scene.stage.settle()
    used(wire, 4000)
    scene.stage.advance(30)
    assert closes(scene) == [4402]


def test_who_is_about_to_be_cut_by_their_budget_is_kept(stage: Stage) -> None:
    """They say it in the last seconds."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=1000))
    wire = on_the_line(scene)
    scene.says(Typed("one"))
    begin(wire, "long", asked(wire))
    wire.say(type="response.output_audio_transcript.delta", response_id="long", delta="So it is, and so it will be.")
    wire.say(type="response.output_audio.delta", response_id="long", delta=b64encode(tone(9)).decode())
    wire.say(type="response.done", response={"id": "long", "status": "completed", "usage": usage(2000)})
    scene.stage.advance(1)
    assert scene.caller.fish_for(Notice, code="budget")
    hears_a_sign(scene)
    wire.answer(NAMED)
    scene.stage.advance(20)
    assert closes(scene) == []
    scene.says(Typed("are you there?"))
    wire.answer("Yes.")
    scene.stage.advance(5)
    assert closes(scene) == []
    scene.end()


def test_switching_has_no_limit(stage: Stage) -> None:
    """Whoever helps them may be somebody else."""
    scene = Scene(stage, limits=Limits(switches=1))
    in_danger(scene)
    for number, who in enumerate((PRIYANKA, TINA, HARSH, MOHIT), start=2):
        scene.says(Chose(who))
        scene.wire(number).welcome()
        scene.wire(number).answer("Hello.")
    assert not [said for said in scene.caller.take() if isinstance(said, Error)]
    scene.end()


def test_a_minor_in_danger_is_not_sent_away(scene: Scene) -> None:
    """Though nobody who has a price talks to minors for long."""
    wire = scene.on_the_line(MOHIT)
    hears_a_sign(scene, "I am 12 years old")
    wire.answer("How nice.")
    scene.stage.settle()
    hears_a_sign(scene)
    wire.answer(NAMED)
    scene.stage.advance(200)
    assert not [said for said in scene.caller.take() if isinstance(said, Close)]


def test_who_loses_their_line_in_danger_finds_the_numbers(scene: Scene) -> None:
    """Nobody came back in time: who asks later is told them with the bill."""
    call = FragileCall(scene)
    scene.says(Typed(SIGN))
    call.wire.answer(NAMED)
    scene.stage.settle()
    call.goes()
    scene.stage.advance(60)
    assert [line.number for line in scene.supervisor.fish_for(Ended).help] == INDIA


# What must end all the same.


def test_a_server_that_stops_tells_the_numbers_first(scene: Scene) -> None:
    """At a second signal."""
    in_danger(scene)
    scene.session.tell(Stop())
    scene.stage.settle()
    assert closes(scene) == [1001]


def test_a_drain_tells_the_numbers_first(scene: Scene) -> None:
    """At the pause at which the call ends."""
    in_danger(scene)
    scene.session.tell(Drain(10))
    scene.stage.advance(11)
    assert closes(scene) == [1001]


def test_an_upstream_that_refuses_does_not_hide_the_numbers(scene: Scene) -> None:
    """It would refuse any other connection, too."""
    wire = in_danger(scene)
    wire.lose()
    for number in range(2, 30):
        scene.stage.advance(2)
        if len(scene.upstream.dialled) < number:
            break
        scene.wire(number).lose()
    scene.stage.advance(40)
    assert closes(scene) == [4503]


def test_calls_in_care_end_last() -> None:
    """Of a server that drains, also if the sign comes meanwhile."""
    draining = Draining[str]()
    draining.spare("old")
    draining.begin(["old", "one", "two", "three"], 11.0, 0.0)
    draining.spare("two")
    told, now = list[str](), 0.0
    while len(told) < 4:
        told += draining.due(now)[0]
        now += 0.05
    assert told == ["one", "three", "old", "two"]


# What it costs who only says the words.


def test_a_user_has_so_many_calls_in_care_a_day(stage: Stage) -> None:
    """In the third help is named, too, and the time is charged."""
    places = Places(Caring())
    for kept in (True, True, False):
        scene = Scene(stage)
        object.__setattr__(scene.services, "places", places)
        scene.on_the_line(MOHIT)
        assert hears_a_sign(scene).metered is not kept
        assert any(isinstance(told, InCare) for told in scene.supervisor.take()) is kept
        scene.wire(1).answer("I hear you.")
        scene.wire(1).answer(NAMED)
        scene.stage.advance(70)
        assert scene.services.counters.care_refused == (not kept)
        assert "1 4 4 1 6" in exactly(scene.wire(1))[-1]
        scene.session.tell(Stop())
        assert (scene.caller.fish_for(Summary).bill.seconds > 60) is not kept
        scene.end()
    assert places.taken == 0


def test_so_many_calls_are_in_care_at_once(stage: Stage) -> None:
    """Of whoever."""
    places = Places(Caring(care_at_once=1))
    scenes = [Scene(stage), Scene(stage)]
    for scene in scenes:
        object.__setattr__(scene.services, "places", places)
        scene.on_the_line(MOHIT)
    assert [hears_a_sign(scene).metered for scene in scenes] == [False, True]
    for scene in scenes:
        scene.end()


# Faults, and what is kept of it.


class Broken:
    """Signs that break over one word."""

    def __init__(self, signs: Any) -> None:
        self._signs = signs
        self.seen: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._signs, name)

    def find(self, words: Any) -> Any:
        self.seen.append(words)
        if "brk" in words:
            raise ValueError("the words were " + SIGN)
        return self._signs.find(words)


def test_a_guardian_that_crashes_is_replaced_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The call goes on, and what is said later is read; after the third it is not, and that is counted."""
    broken = Broken(shipped())
    monkeypatch.setattr("actors.session.shipped", lambda: broken)
    wire = scene.on_the_line(MOHIT)
    for number in range(3):
        scene.says(Typed("brk"))
        wire.answer(f"Answer {number}.")
        scene.stage.settle()
    assert scene.services.counters.guardians_given_up == 1
    scene.says(Typed(SIGN))
    wire.answer("I hear you.")
    scene.stage.settle()
    assert not [said for said in scene.caller.take() if isinstance(said, Help | Close)]
    assert not [name for name in scene.session.snapshot().children if GuardianActor.name in str(name)]
    assert SIGN not in caplog.text
    assert sum(words[:1] == ("brk",) for words in broken.seen) == 3


def test_a_guardian_that_was_replaced_reads_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the transcript that broke it is lost."""
    broken = Broken(shipped())
    monkeypatch.setattr("actors.session.shipped", lambda: broken)
    wire = scene.on_the_line(MOHIT)
    scene.says(Typed("brk"))
    wire.answer("What?")
    assert [line.number for line in hears_a_sign(scene).numbers] == INDIA
    assert scene.services.counters.guardians_given_up == 0


def test_it_is_counted_without_words_and_in_no_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """By kind, once a call; the lines of the call are as those of any other."""
    with caplog.at_level(logging.DEBUG):
        in_danger(scene)
        hears_a_sign(scene, "my husband beats me")
        scene.stage.advance(5)
        scene.end()
    assert scene.services.counters.worries == {"suicide": 1, "hurt": 1}
    for word in ("die", "beats", "14416", "suicide", "hurt", "care", "danger", "Tele"):
        assert word not in caplog.text, word


def test_a_call_that_goes_on_elsewhere_stays_in_care(stage: Stage) -> None:
    """What it takes along: that the caller was told, what there is to worry about, and for how long it was in care."""
    here = Scene(stage)
    in_danger(here)
    stage.advance(100)
    disclosed, kept = here.actor._care.record({})
    assert (disclosed, kept.kinds, kept.country) == (True, ("suicide",), "IN")
    assert 99 < kept.kept_seconds < 102
    assert 99 < kept.silent_seconds < 102
    there = Scene(stage, limits=Limits(call_seconds=60), caring=Caring(care_seconds=400))
    stage.settle()
    there.actor._care.begin_with(disclosed, kept)
    there.says(Chose(MOHIT))
    wire = there.wire(1)
    wire.welcome()
    stage.settle()
    assert exactly(wire) == [there.catalogue.get(MOHIT).greeting]
    assert "\n\n# Care\n" in instructions(wire)
    wire.answer("Hello.")
    stage.advance(290)
    assert not [said for said in there.caller.take() if isinstance(said, Close)]
    stage.advance(15)
    assert closes(there) == [1000]
    here.end()
