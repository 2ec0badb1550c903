"""The secret of a call."""

from actors.call.resume import token


def test_a_token_fits_itself_alone() -> None:
    """And is long enough that nobody guesses it; what is kept does not give it away."""
    (one, kept), (other, _) = token.issue(), token.issue()
    assert token.fits(one, kept)
    assert not token.fits(other, kept)
    assert not token.fits(one[:-1], kept)
    assert not token.fits("\ud800", kept)
    assert len(one) * 6 >= 128
    assert one.encode() not in kept
