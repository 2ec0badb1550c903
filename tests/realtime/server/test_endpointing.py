"""Where a turn begins and ends, frame by frame, by table."""

import pytest

from realtime.server.endpointing import Edge, Endpointing, Rules

MARKS = {Edge.FIRST: "(", Edge.LAST: ")", None: "-"}
# How likely speech is in a frame, as a letter.
LIKELY = {"S": 0.9, "s": 0.51, "=": 0.5, "m": 0.4, ".": 0.1}


def follow(frames: str, rules: Rules) -> str:
    """The edges in a row of frames."""
    turn = Endpointing()
    return "".join(MARKS[turn.step(LIKELY[frame], rules)] for frame in frames)


@pytest.mark.parametrize(
    ("frames", "silence_ms", "edges"),
    [
        ("......", 64, "------"),  # nobody speaks
        ("..SSS..", 64, "--(---)"),  # a clean turn: two silent frames end it
        ("..SSS.S..", 64, "--(-----)"),  # a pause that is too short goes on being the turn
        ("SS..SS..", 64, "(--)(--)"),  # two turns
        ("S.....", 64, "(-)---"),  # a blip is a turn too
        ("..SSS", 64, "--(--"),  # what is open stays open
        ("SS...", 65, "(---)"),  # a silence of 65 ms takes three frames of 32 ms
        ("SS..", 0, "(-)-"),  # no silence at all: the first silent frame ends it
        ("==s", 64, "--("),  # speech begins above the threshold, not at it
        ("Smmmmm", 64, "(-----"),  # what is between does not end a turn
        ("S.m.m..", 64, "(-----)"),  # and begins the silence anew
        ("mmmm", 64, "----"),  # nor does it begin one
    ],
)
def test_edges(frames: str, silence_ms: int, edges: str) -> None:
    """A turn begins with its first likely frame and ends when the silence has lasted."""
    assert follow(frames, Rules(silence_duration_ms=silence_ms)) == edges


@pytest.mark.parametrize(
    ("threshold", "frames", "edges"),
    [
        (0.8, "sS", "-("),  # a high threshold takes more to begin
        (0.8, "S==", "(-)"),  # and less to end
        (0.0, "..", "(-"),  # the lowest takes anything for speech,
        (1.0, "SS", "--"),  # the highest nothing
    ],
)
def test_the_threshold_is_the_sessions(threshold: float, frames: str, edges: str) -> None:
    """Start and end both follow it."""
    assert follow(frames, Rules(threshold=threshold, silence_duration_ms=64)) == edges


def test_a_low_threshold_can_still_end() -> None:
    """There is no room for 0.15 below 0.1, but silence is silence."""
    turn, rules = Endpointing(), Rules(threshold=0.1, silence_duration_ms=64)

    assert [turn.step(likely, rules) for likely in (0.9, 0.0, 0.0)] == [Edge.FIRST, None, Edge.LAST]
