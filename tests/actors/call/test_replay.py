"""What is kept of a caller's stream: each byte is its own position in seconds, so that what is missing shows."""

from itertools import count

from actors.call.replay import LONGEST, QUIET, ReplayBuffer
from upstream.facts import BYTES_PER_MS, TurnId

FRAME_MS = 20


def said(first_ms: int, last_ms: int) -> bytes:
    """Audio in which every frame of 20 ms is marked with its number."""
    frames = range(first_ms // FRAME_MS, last_ms // FRAME_MS)
    return b"".join(number.to_bytes(4, "little") * (FRAME_MS * BYTES_PER_MS // 4) for number in frames)


clock = count(step=FRAME_MS / 1000)


def hear(microphone: ReplayBuffer, first_ms: int, last_ms: int, listening: bool = True) -> None:
    """So much is said, frame by frame, in real time."""
    for at in range(first_ms, last_ms, FRAME_MS):
        microphone.hear(said(at, at + FRAME_MS), listening, next(clock))


def replay(microphone: ReplayBuffer) -> bytes:
    """The connection that listened is lost, and there is another."""
    microphone.hold()
    return microphone.replay()


def test_while_nobody_speaks_only_the_last_moment_is_kept() -> None:
    """The onset of speech that the upstream has not told of yet."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 60_000)
    assert said(60_000 - 750, 60_000).endswith(kept := replay(microphone))
    assert len(kept) >= QUIET


def test_a_turn_is_kept_until_it_is_safe() -> None:
    """From where it began, also after it is whole, for it may not be written down yet."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 2000)
    microphone.began(TurnId(7), 1500)
    hear(microphone, 2000, 5000)
    microphone.paused(4500, 0.0)
    hear(microphone, 5000, 6000)
    microphone.acknowledge(TurnId(7))
    hear(microphone, 6000, 6020)
    kept = replay(microphone)
    assert said(6020 - 760, 6020).endswith(kept)
    hear(microphone, 0, 1000)
    microphone.began(TurnId(8), len(kept) // BYTES_PER_MS + 600)  # the other connection was played what was kept
    hear(microphone, 1000, 3000)
    assert replay(microphone) == said(600, 3000)


def test_nothing_of_a_turn_is_said_twice_though_nobody_told_where_it_ended() -> None:
    """It was silent for half a second before the turn was whole."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 2000)
    microphone.began(TurnId(7), 500)
    microphone.committed()
    microphone.acknowledge(TurnId(7))
    assert replay(microphone) == said(1500, 2000)


def test_nothing_of_a_turn_that_is_safe_is_said_twice() -> None:
    """What is kept of the quiet after it does not reach back into it."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 3000)
    microphone.began(TurnId(1), 1000)
    microphone.paused(2900, 0.0)
    microphone.acknowledge(TurnId(1))
    hear(microphone, 3000, 3100)
    assert replay(microphone) == said(2900, 3100)


def test_a_long_turn_loses_its_beginning_and_says_so() -> None:
    """What exceeds the bound cannot be replayed."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 1000)
    microphone.began(TurnId(1), 0)
    hear(microphone, 1000, 20_000)
    assert microphone.lost
    assert replay(microphone) == said(20_000 - LONGEST // BYTES_PER_MS, 20_000)
    assert not microphone.lost


def test_while_nobody_listens_everything_is_kept() -> None:
    """The same connection gets what it missed, and nothing twice."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 2000)
    hear(microphone, 2000, 5000, listening=False)
    assert microphone.resume() == said(2000, 5000)
    assert microphone.resume() == b""
    hear(microphone, 5000, 6000)
    microphone.began(TurnId(1), 5500)
    hear(microphone, 6000, 8000)
    assert replay(microphone) == said(5500, 8000)


def test_after_a_greeting_only_the_last_moment_is_heard() -> None:
    """What was said before it would be answered before it."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 4000, listening=False)
    microphone.shorten()
    assert microphone.replay() == said(3700, 4000)


def test_positions_hold_after_more_was_missed_than_is_kept() -> None:
    """The connection counts only what it was sent."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 1000)
    hear(microphone, 1000, 21_000, listening=False)
    assert microphone.lost
    assert microphone.resume() == said(6000, 21_000)
    microphone.began(TurnId(1), 1000 + 15_000 - 500)
    hear(microphone, 21_000, 22_000)
    assert replay(microphone) == said(20_500, 22_000)


def test_what_another_connection_is_played_is_kept_until_it_can_tell_of_it() -> None:
    """It is lost as well before it has said that somebody speaks in it; the same holds for what one had missed."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 3000, listening=False)
    microphone.replay()
    hear(microphone, 3000, 3400)
    assert replay(microphone) == said(0, 3400)
    hear(microphone, 3400, 4000)
    hear(microphone, 4000, 6000, listening=False)
    microphone.resume()
    hear(microphone, 6000, 6400)
    assert replay(microphone).endswith(said(4000, 6400))


def test_what_comes_in_a_burst_is_all_kept_for_a_moment() -> None:
    """The upstream has not had the time to say that somebody spoke in it."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 2000)
    microphone.hear(said(2000, 9000), True, 2.0)
    microphone.hear(said(9000, 9020), True, 2.3)
    assert replay(microphone).endswith(said(2000, 9020))
    hear(microphone, 0, 2000)
    microphone.hear(said(2000, 9000), True, 2.0)
    hear(microphone, 9000, 10_000)
    assert len(replay(microphone)) <= QUIET * 1.25


def test_what_became_safe_is_not_said_again_though_nothing_was_said_since() -> None:
    """A phone that sends no silence: the connection is lost before any more audio comes."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 3000)
    replayed = len(replay(microphone)) // BYTES_PER_MS
    microphone.began(TurnId(1), 100)
    microphone.paused(replayed - 100, 0.0)
    microphone.acknowledge(TurnId(1))
    assert len(replay(microphone)) == 100 * BYTES_PER_MS


def test_what_was_replayed_is_kept_when_that_connection_is_lost_as_well() -> None:
    """It had no time to say what it heard in it."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 1000)
    microphone.began(TurnId(1), 100)
    hear(microphone, 1000, 3000)
    kept = replay(microphone)
    hear(microphone, 3000, 3100)
    assert replay(microphone) == kept + said(3000, 3100)


def test_a_safe_turn_behind_one_that_is_not_is_replayed_in_its_place() -> None:
    """Else it would be known before what was said before it; once that one is safe as well, both are silence."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 500)
    microphone.began(TurnId(1), 0)
    hear(microphone, 500, 2000)
    microphone.paused(1000, 0.0)
    microphone.began(TurnId(2), 1000)
    hear(microphone, 2000, 3000)
    microphone.paused(2000, 0.0)
    microphone.acknowledge(TurnId(2))
    microphone.hold()
    assert microphone.heard_again == [2]
    assert bytes(microphone._kept) == said(0, 3000)
    microphone.acknowledge(TurnId(1))
    assert microphone.heard_again == []
    assert microphone.replay() == bytes(2000 * BYTES_PER_MS) + said(2000, 3000)


def test_an_onset_that_was_told_of_too_late_is_missing() -> None:
    """Unless the turn is safe before another connection would need it."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 3000)
    microphone.began(TurnId(1), 1000)
    assert microphone.lost
    microphone.acknowledge(TurnId(1))
    assert not microphone.lost


def test_what_was_dropped_is_played_to_nobody() -> None:
    """Neither to the connection that listened before, nor to the next; positions go on."""
    microphone = ReplayBuffer()
    hear(microphone, 0, 500)
    microphone.began(TurnId(1), 0)
    hear(microphone, 500, 600, listening=False)
    microphone.drop()
    assert microphone.resume() == b""
    hear(microphone, 600, 700)
    microphone.began(TurnId(2), 520)
    assert replay(microphone) == said(600, 700)
