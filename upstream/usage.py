"""What the tokens of a call cost, and how that is told."""

from math import ceil

from upstream.facts import Used
from upstream.models import Prices


def cost(used: Used, prices: Prices) -> float:
    """In US dollars; transcripts are not in it, for what they cost is not in the record."""
    text, audio = used.text_in - used.text_cached, used.audio_in - used.audio_cached
    return (
        text * prices.text_in
        + used.text_cached * prices.text_cached
        + used.text_out * prices.text_out
        + audio * prices.audio_in
        + used.audio_cached * prices.audio_cached
        + used.audio_out * prices.audio_out
    ) / 1e6


def tokens(used: Used) -> int:
    """All of them, also of transcripts; cached ones count as others."""
    return used.text_in + used.audio_in + used.text_out + used.audio_out + used.transcribed


def micro_usd(used: Used, prices: Prices | None) -> int:
    """In whole millionths of a US dollar, rounded up; 0 without prices. As `cost`, which is for people to read."""
    return ceil(round(cost(used, prices) * 1e9) / 1000) if prices else 0


def spent(used: Used, prices: Prices | None, *, counted: bool = True) -> dict[str, str]:
    """For the line that sums up a call: tokens, and what they cost if that is known.

    If the model has not `counted` them, they are marked as an estimate, and cost nothing.
    """
    kinds = {
        "text_in": used.text_in,
        "audio_in": used.audio_in,
        "cached_in": used.text_cached + used.audio_cached,
        "text_out": used.text_out,
        "audio_out": used.audio_out,
    }
    told = {kind: str(tokens) for kind, tokens in kinds.items()}
    if not counted:
        return told | {"tokens": "estimated"}
    return told | ({"usd": f"{cost(used, prices):.4f}"} if prices else {})
