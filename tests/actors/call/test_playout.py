"""What a caller has heard, and what may be sent ahead of their player."""

import pytest

from actors.call.outgoing import RATE, OutgoingReply
from actors.call.phases import Phases
from actors.call.playout import LEAD, PIECE, Playout, silence
from actors.counters import Counters
from actors.messages.caller import Clear, ResponseDone, ResponseStarted, Sound, ToCaller, Transcript
from actors.messages.ids import Generation
from upstream.facts import ReplyNumber, Status, TurnId


def outgoing(number: int, *words: str, seconds: float = 0.2, status: Status | None = "completed") -> OutgoingReply:
    """A reply of which each word plays for so many seconds."""
    made = OutgoingReply(Generation(1), ReplyNumber(number), TurnId(number), "tina")
    for word in words:
        made.add_words(word, 10.0)
        made.add(bytes(int(RATE * seconds)), 10.0)
    made.status = status
    return made


def streamed(*airs: OutgoingReply, now: float = 10.0) -> Playout:
    """They have come, and the caller may know of them."""
    playback = Playout(Phases(Counters()))
    for one in airs:
        one.since = now
        playback.begin(one)
    return playback


def sound(said: list[ToCaller]) -> float:
    """Seconds of audio that were released."""
    return sum(len(message.pcm) for message in said if isinstance(message, Sound)) / RATE


FOUR = ("one ", "two ", "three ", "four")


def test_what_was_heard_is_the_time_since_it_began_to_play() -> None:
    """In ms, at most its length; the words are those that fell into it whole."""
    playback, reply = Playout(Phases(Counters())), outgoing(2, *FOUR, seconds=0.5)
    playback.begin(reply)
    assert (reply.id, reply.heard_ms(9.0)) == ("1.2", 0)
    playback.send(reply, 10.0)
    assert (reply.heard_ms(10.0), reply.heard_text(10.0)) == (0, "")
    assert (reply.heard_ms(11.2), reply.heard_text(11.2)) == (1200, "one two")
    assert (reply.heard_ms(99.0), reply.heard_text(99.0)) == (2000, "one two three four")


def test_words_of_one_piece_are_shared_out_over_its_audio() -> None:
    """A sentence that came at once, with three seconds of sound after it."""
    playback, reply = Playout(Phases(Counters())), outgoing(1, "When were you born, and where?", seconds=3.0)
    playback.begin(reply)
    playback.send(reply, 10.0)
    assert reply.heard_text(11.5) == "When were you"
    assert reply.heard_text(13.0) == "When were you born, and where?"


def test_a_whole_reply_is_handed_over_as_it_is() -> None:
    """Two minutes of it are not copied, and what is given out is nobody else's any more."""
    playback, reply = Playout(Phases(Counters())), outgoing(2, *FOUR, seconds=0.5)
    playback.begin(reply)
    whole = reply.pcm
    assert playback.send(reply, 10.0) is whole
    assert (len(whole), len(reply.pcm), reply.released) == (2 * RATE, 0, 2 * RATE)


def test_whole_replies_play_one_after_another() -> None:
    """One that comes while another plays starts when that has ended; both stop when something is said."""
    first, second = outgoing(1, *FOUR, seconds=0.5), outgoing(2, *FOUR, seconds=0.5)
    playback = Playout(Phases(Counters()))
    playback.begin(first)
    playback.begin(second)
    playback.send(first, 10.0)
    playback.send(second, 10.5)
    assert (first.until, second.until) == (12.0, 14.0)
    assert playback.stop(since=9.0, now=11.0) == []
    assert playback.stop(since=10.2, now=11.0) == [first]
    assert playback.stop(since=11.0, now=11.0) == [second]
    assert second.heard_ms(11.0) == 0


def test_what_was_heard_to_its_end_is_not_stopped() -> None:
    """It is part of what was said."""
    playback, reply = Playout(Phases(Counters())), outgoing(1, *FOUR)
    playback.begin(reply)
    playback.send(reply, 10.0)
    assert playback.stop(since=12.0, now=12.0) == []


def test_a_burst_is_released_at_the_pace_at_which_it_plays() -> None:
    """At most LEAD ahead of the player at any moment, all of it in the end, and no gap between."""
    playback = streamed(reply := outgoing(1, *(f"w{n} " for n in range(50))))
    now, given, ahead = 10.0, 0.0, []
    wait: float | None = 0.0
    while wait is not None:
        said, wait = playback.release(now)
        given += sound(said)
        ahead.append(given - (now - 10.0))
        now += wait or 0.0
    assert given == pytest.approx(10.0)
    assert max(ahead) <= LEAD + 0.001
    assert min(ahead[:-1]) > 0.2
    assert reply.done


def test_a_reply_is_announced_told_and_ended_in_order() -> None:
    """response_started, then words no later than their sound, then the whole words and response_done."""
    playback = streamed(outgoing(1, *FOUR))
    said, wait = playback.release(10.0)
    assert said[0] == ResponseStarted("1.1", "tina")
    assert said[1] == Transcript("assistant", "one two ", "1.1", final=False)
    assert sound(said) == pytest.approx(LEAD)
    assert wait == pytest.approx(PIECE)
    rest: list[ToCaller] = []
    for tick in range(1, 6):
        rest += playback.release(10.0 + tick / 10)[0]
    assert "".join(m.text for m in rest if isinstance(m, Transcript) and not m.final) == "three four"
    assert rest[-2:] == [Transcript("assistant", "one two three four", "1.1"), ResponseDone("1.1", "completed")]


def test_audio_that_comes_in_real_time_is_passed_on_at_once() -> None:
    """Pacing adds nothing where nothing is ahead."""
    playback = streamed(reply := outgoing(1, status=None))
    for tick in range(50):
        reply.add(bytes(RATE // 50), 10.0 + tick / 50)
        said, wait = playback.release(10.0 + tick / 50)
        assert sound(said) == pytest.approx(0.02)
        assert wait is None


def test_the_next_reply_waits_for_the_one_before() -> None:
    """They are released one after another, also when the second has come whole."""
    first, second = outgoing(1, "one ", status=None), outgoing(2, "two ")
    playback = streamed(first, second)
    assert {m.response_id for m in playback.release(10.0)[0] if isinstance(m, Sound)} == {"1.1"}
    first.status = "completed"
    ids = [m.response_id for m in playback.release(10.1)[0] if isinstance(m, ResponseDone | ResponseStarted)]
    assert ids == ["1.1", "1.2", "1.2"]


def test_the_players_own_report_counts_more_than_the_clock() -> None:
    """It is carried on by the clock, never goes back and never beyond what was released."""
    playback = streamed(reply := outgoing(1, *FOUR, seconds=0.1))
    playback.release(10.0)
    assert reply.heard_ms(10.2) == 200
    playback.played("1.1", 50, 10.2)
    assert (reply.heard_ms(10.2), reply.heard_ms(10.25)) == (50, 100)
    playback.played("1.1", 20, 10.2)
    assert reply.heard_ms(10.2) == 50
    playback.played("1.1", 99_999, 10.2)
    assert reply.heard_ms(10.2) == 400
    playback.played("7.7", 10, 10.2)


def test_a_player_that_ran_dry_after_its_report_has_not_played_on() -> None:
    """What comes later plays from then on, however long ago the report was."""
    playback = streamed(reply := outgoing(1, "one ", "two ", status=None))
    playback.release(10.0)
    playback.played("1.1", 300, 10.35)
    assert reply.heard_ms(12.0) == 400
    reply.add_words("three ", 12.0)
    reply.add(bytes(RATE // 5), 12.0)
    playback.release(12.0)
    assert (reply.heard_ms(12.1), reply.heard_text(12.1)) == (500, "one two")


def test_a_reply_that_stops_is_cleared_and_said_to_be_cancelled() -> None:
    """The caller's captions end with what was heard; of what they never knew they are told nothing."""
    playback = streamed(first := outgoing(1, *FOUR), second := outgoing(2, *FOUR))
    playback.release(10.0)
    assert playback.stop(since=10.25, now=10.25) == [first, second]
    assert silence(first, 10.25, streamed=True) == [
        Clear("1.1"),
        Transcript("assistant", "one", "1.1"),
        ResponseDone("1.1", "cancelled"),
    ]
    assert silence(second, 10.25, streamed=True) == []
    assert silence(first, 10.25, streamed=False) == [Clear("1.1")]


def test_after_a_stop_the_next_reply_plays_at_once() -> None:
    """What was thrown away is not waited for."""
    playback = streamed(outgoing(1, *FOUR))
    playback.release(10.0)
    playback.stop(since=10.1, now=10.1)
    reply = outgoing(2, *FOUR)
    reply.since = 10.1
    playback.begin(reply)
    assert sound(playback.release(10.1)[0]) == pytest.approx(LEAD)


def test_after_a_stop_a_reply_that_was_being_made_plays_at_once() -> None:
    """Nobody knew of it yet, and what was thrown away is not waited for either."""
    playback = streamed(outgoing(1, *FOUR))
    playback.send(playback.find(Generation(1), ReplyNumber(1)), 10.0)  # type: ignore[arg-type]
    playback.begin(reply := outgoing(2, *FOUR))
    playback.stop(since=10.1, now=10.1)
    playback.send(reply, 10.1)
    assert reply.until == pytest.approx(10.9)
    assert playback.silent(10.95)


def test_a_reply_that_was_cut_ends_with_a_word() -> None:
    """The last word may be half there: if none of it was released it is taken back, to be said again."""
    playback = streamed(reply := outgoing(1, *FOUR, seconds=0.3, status=None))
    playback.release(10.0)
    reply.cut()
    assert (reply.text, reply.status, reply.received) == ("one two three", "incomplete", int(0.9 * RATE))
    said: list[ToCaller] = []
    for tick in range(1, 10):
        said += playback.release(10.0 + tick / 10)[0]
    assert sound(said) == pytest.approx(0.5)
    assert said[-1] == ResponseDone("1.1", "incomplete")


def test_what_was_released_of_a_cut_word_counts_as_said() -> None:
    """As far as can be known from its length, in whole words."""
    playback = streamed(reply := outgoing(1, "one ", "two", seconds=0.2, status=None))
    playback.release(10.0)
    reply.cut()
    assert reply.text == "one two"
    playback = streamed(reply := outgoing(1, "Ask me about your chart and your stars", seconds=0.4, status=None))
    playback.release(10.0)
    reply.cut()
    assert reply.text == "Ask"


def test_a_reply_that_stops_before_its_first_word_was_heard_as_nothing() -> None:
    """Something was said between the beginning of the response and the first of its audio."""
    reply = OutgoingReply(Generation(1), ReplyNumber(1), TurnId(1), "tina")
    playback = streamed(reply)
    assert playback.stop(11.0, 11.0) == [reply]
    assert (reply.heard_text(11.0), silence(reply, 11.0, streamed=True)) == ("", [])


def test_a_whole_reply_is_cleared_also_when_the_caller_has_begun_to_stream() -> None:
    """It was sent as one message while the caller typed, and plays when they begin to speak."""
    playback, reply = Playout(Phases(Counters())), outgoing(1, *FOUR, seconds=0.5)
    playback.begin(reply)
    playback.send(reply, 10.0)
    assert playback.stop(11.0, 11.0) == [reply]
    assert silence(reply, 11.0, streamed=True) == [Clear(reply.id), Transcript("assistant", "one two", reply.id)]
