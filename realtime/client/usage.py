"""What the upstream says that its work came to: tokens by kind, read leniently."""

from typing import Any

from realtime.client.fields import LARGEST
from upstream.facts import Used


def of_response(usage: Any) -> Used:
    """Of a response.done; what is missing counts as nothing."""
    given, made = _part(usage, "input_token_details"), _part(usage, "output_token_details")
    kept = _part(given, "cached_tokens_details")
    text_in, cached = _count(given, "text_tokens"), _count(given, "cached_tokens")
    text_cached = _count(kept, "text_tokens") if kept else min(cached, text_in)
    return Used(
        text_in=text_in,
        text_cached=text_cached,
        text_out=_count(made, "text_tokens"),
        audio_in=_count(given, "audio_tokens"),
        audio_cached=_count(kept, "audio_tokens") if kept else cached - text_cached,
        audio_out=_count(made, "audio_tokens"),
    )


def of_transcript(usage: Any) -> Used:
    """Of a transcript: by tokens, or by the seconds that were listened to."""
    return Used(transcribed=_count(usage, "total_tokens"), transcribed_seconds=float(_amount(usage, "seconds")))


def _part(of: Any, name: str) -> dict[str, Any]:
    part = of.get(name) if isinstance(of, dict) else None
    return part if isinstance(part, dict) else {}


def _count(of: Any, name: str) -> int:
    return int(_amount(of, name))


def _amount(of: Any, name: str) -> float:
    amount = of.get(name) if isinstance(of, dict) else None
    if isinstance(amount, int | float) and not isinstance(amount, bool) and 0 < amount < LARGEST:
        return amount
    return 0
