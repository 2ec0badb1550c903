"""What probes hear, and what they say when it is not what was expected."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import pytest

from actors.runtime import Boot, Down, LoopActor, Stop
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from tests.kit.story import run


@dataclass(frozen=True)
class Said:
    words: str
    to: Any = None


@dataclass(frozen=True)
class Hummed:
    notes: bytes


def full(*messages: Any) -> Probe:
    """A probe that was told these."""
    probe = Probe("ear")
    for message in messages:
        probe.tell(message)
    return probe


def complaint(error: pytest.ExceptionInfo[AssertionError]) -> list[str]:
    """Its lines."""
    return str(error.value).splitlines()


def test_a_message_is_expected_by_type_by_value_by_function_and_by_its_fields() -> None:
    """A field by its value or by the type of it; what was expected is returned."""
    one, two, three = Said("one"), Said("two", to=KeyError("x")), Said("three", to=3)
    probe = full(one, one, two, three, three, None)
    assert probe.expect(Said) is one
    assert probe.expect(Said("one")) is one
    assert probe.expect(Said, words="two", to=KeyError) is two
    assert probe.expect(lambda message: message.to == 3) is three
    assert probe.expect(Said, words="three") is three
    assert probe.expect(None) is None
    probe.expect_nothing()
    assert probe.heard == [one, one, two, three, three, None]


def test_the_next_message_must_be_the_expected_one() -> None:
    """Else it says what it heard, and what it heard before and after; the message is not taken."""
    probe = full(Said("one"), Said("two"), Hummed(bytes(100_000)))
    probe.expect(Said)
    with pytest.raises(AssertionError) as error:
        probe.expect(Hummed)
    lines = complaint(error)
    assert lines[0].startswith("ear expected Hummed, heard Said(words='two'")
    assert lines[1:4] == ["taken before:", "  Said(words='one', to=None)", "still in the box:"]
    assert re.fullmatch(r"  Hummed\(notes=b'.{20,120}\.\.\..{20,120}'\)", lines[4])
    probe.expect(Said, words="two")


def test_a_wrong_field_is_a_wrong_message() -> None:
    """The wish is shown with its fields."""
    with pytest.raises(AssertionError, match=r"expected Said\(words='two'\), heard Said\(words='one', to=None\)"):
        full(Said("one")).expect(Said, words="two")


def test_who_expects_and_hears_nothing_is_told_so() -> None:
    """With what was heard before."""
    probe = full(Said("one"))
    probe.take()
    with pytest.raises(AssertionError) as error:
        probe.expect(Said)
    assert complaint(error) == ["ear expected Said, heard nothing", "taken before:", "  Said(words='one', to=None)"]


def test_silence_is_expected_of_what_was_not_taken() -> None:
    """Anything else is shown."""
    probe = full(Said("one"))
    with pytest.raises(AssertionError, match="ear expected silence\nstill in the box:\n  Said"):
        probe.expect_nothing()
    assert probe.take() == [Said("one")]
    probe.expect_nothing()


def test_fishing_passes_over_what_is_not_wanted() -> None:
    """It is gone then; in vain, nothing is taken, and all of it is shown."""
    probe = full(Said("one"), Hummed(b"la"), Said("two"), Said("three"))
    assert probe.fish_for(Said, words="two").words == "two"
    with pytest.raises(AssertionError) as error:
        probe.fish_for(Hummed)
    assert complaint(error)[0] == "ear fished for Hummed in vain"
    assert complaint(error)[-2:] == ["still in the box:", "  Said(words='three', to=None)"]
    assert probe.box == [Said("three")]


def test_on_a_real_loop_a_probe_waits() -> None:
    """At most so long."""

    async def story() -> None:
        probe = Probe("ear")
        asyncio.get_running_loop().call_later(0.01, probe.tell, Said("late"))
        probe.tell(Hummed(b"la"))
        assert (await probe.told(Said)).words == "late"
        with pytest.raises(AssertionError, match=r"fished for Said\(words='later'\) in vain for 0.01 s"):
            await probe.told(Said, within=0.01, words="later")

    run(story())


class Parent(LoopActor[Any]):
    """Hires whom it was given, again after a crash."""

    def __init__(self, child: Any) -> None:
        super().__init__()
        self._child = child

    def on_receive(self, message: Any) -> None:
        match message:
            case Boot():
                self.ref = self.hire(self._child, "an argument", of="any kind")
            case Down(cause=None):
                self.end()
            case Down():
                self._begin_again(message)
            case _:
                self.ref.tell(message)

    def _begin_again(self, down: Down) -> None:
        assert down.name == "child"
        self.ref = self.hire(self._child, down.incarnation)


def test_a_probe_stands_in_for_a_child(stage: Stage) -> None:
    """It is told what the child is told, crashes as often as it is hired, and ends."""
    child = Probe("child")
    parent = stage.launch(Parent, child.stand_in)
    parent.tell(Said("to the first"))
    child.expect(Said("to the first"))
    child.crashes(ValueError("no"))
    stage.settle()
    parent.tell(Said("to the second"))
    child.expect(Said("to the second"))
    child.ends()
    stage.expect_terminated(parent)


def test_a_probe_that_nobody_hired_cannot_end(stage: Stage) -> None:
    """It says what to do."""
    with pytest.raises(AssertionError, match="nobody has hired child: hand its `stand_in` to the parent"):
        Probe("child").ends()


def test_a_parent_that_ends_takes_the_stand_in_with_it(stage: Stage) -> None:
    """It is an actor like any other."""
    child = Probe("child")
    parent = stage.launch(Parent, child.stand_in)
    stage.settle()
    parent.stop(block=False)
    stage.expect_terminated(parent)
    child.expect_nothing()
    assert Stop() not in child.heard
