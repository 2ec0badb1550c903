"""What a frame counts as, for the rate of its address."""

import pytest

from web.receiver import text_cost


@pytest.mark.parametrize(("size", "frames"), [(15, 4), (1024, 5), (64 * 1024, 68), (512 * 1024, 132)])
def test_a_text_counts_as_what_it_costs(size: int, frames: int) -> None:
    """A ping counts as four frames of audio, the longest message as 68; of a clip the server reads little."""
    assert text_cost(size) == frames
