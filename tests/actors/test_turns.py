"""The order of turns, and what a caller has heard."""

from actors.playback import OnAir, Playback
from actors.turns import TurnOrder


def test_turns_are_asked_in_the_order_in_which_they_came() -> None:
    """A clip that is still being decoded holds back what came after it."""
    turns = TurnOrder()
    clip, text = turns.arrive(1, 0.0), turns.arrive(1, 0.1, "hello")
    assert turns.next(1) is None
    turns.change(clip.number, content=b"pcm")
    first = turns.next(1)
    assert first is not None
    assert first.number == clip.number
    turns.change(clip.number, asked=True)
    second = turns.next(1)
    assert second is not None
    assert second.number == text.number


def test_a_turn_waits_for_the_persona_it_was_meant_for() -> None:
    """What was said to the next persona is not asked of this one."""
    turns = TurnOrder()
    turns.arrive(2, 0.0, "for the second")
    assert turns.next(1) is None
    assert turns.next(2) is not None
    turns.retag(2, 1)
    assert turns.next(1) is not None


def test_what_is_forgotten_is_not_changed() -> None:
    """A fact about a turn that is over is dropped."""
    turns = TurnOrder()
    said = turns.arrive(1, 0.0)
    turns.forget(said.number)
    turns.change(said.number, content=b"late")
    assert list(turns) == []
    assert turns.number() == said.number + 1


def reply(number: int, seconds: float) -> OnAir:
    """A reply of so many seconds."""
    return OnAir(1, number, number, "tina", bytearray(int(48_000 * seconds)), "one two three four")


def test_what_was_heard_is_the_time_since_it_began_to_play() -> None:
    """In ms, at most its length; the words are the share that fell into it, none that was cut."""
    air, playback = reply(2, 2.0), Playback()
    assert (air.id, air.ms, air.heard_ms(9.0)) == ("1.2", 2000, 0)
    playback.send(air, 10.0)
    assert (air.heard_ms(10.0), air.heard_text(10.0)) == (0, "")
    assert (air.heard_ms(11.2), air.heard_text(11.2)) == (1199, "one two")
    assert (air.heard_ms(99.0), air.heard_text(99.0)) == (2000, "one two three four")


def test_replies_play_one_after_another() -> None:
    """One that comes while another plays starts when that has ended; both stop when something is said."""
    first, second, playback = reply(1, 2.0), reply(2, 2.0), Playback()
    playback.send(first, 10.0)
    playback.send(second, 10.5)
    assert second.starts_at == 12.0
    assert playback.stop(since=9.0, now=11.0) == []
    assert playback.stop(since=10.2, now=11.0) == [first]
    assert playback.stop(since=11.0, now=11.0) == [second]
    assert second.heard_ms(11.0) == 0


def test_what_was_heard_to_its_end_is_not_stopped() -> None:
    """It is part of what was said."""
    playback = Playback()
    playback.send(reply(1, 1.0), 10.0)
    assert playback.stop(since=12.0, now=12.0) == []
