"""The setting `turn_detection`: null, server VAD, or semantic VAD. Server VAD is on when nobody has set it."""

from dataclasses import asdict
from typing import Any

from realtime.server.endpointing import Rules
from realtime.server.shape import nullable, one_of, record, within

LONGEST_WAIT_MS = 60_000  # for every time in it; ours, for the real bounds are not published

PATIENCE_MS = {"low": 1200, "medium": 600, "high": 300, "auto": 600}
"""How long a silence ends a turn, by the eagerness of semantic VAD.

The real one judges by the words whether somebody has finished. This engine does not: its semantic VAD is server VAD
with these silences, of which the eager may cut a speaker short who thinks, as the real one would not.
"""

_BOOLEAN = one_of(True, False)
_WAIT_MS = within(0, LONGEST_WAIT_MS, whole=True)
_ANSWERS = {"create_response": _BOOLEAN, "interrupt_response": _BOOLEAN}
_SERVER_VAD = record(
    ("type",),
    type=one_of("server_vad", "semantic_vad"),
    threshold=within(0, 1),
    prefix_padding_ms=_WAIT_MS,
    silence_duration_ms=_WAIT_MS,
    idle_timeout_ms=nullable(within(1, LONGEST_WAIT_MS, whole=True)),
    **_ANSWERS,
)
_SEMANTIC_VAD = record(("type",), type=one_of("semantic_vad"), eagerness=one_of(*PATIENCE_MS), **_ANSWERS)


def turn_detection(value: Any, path: str) -> Any:
    """Raise Rejected for anything but null, server VAD and semantic VAD."""
    match value:
        case {"type": "semantic_vad"}:
            return _SEMANTIC_VAD(value, path)
        case _:
            return nullable(_SERVER_VAD)(value, path)


def filled(wanted: dict[str, Any]) -> dict[str, Any]:
    """Whole: what is left out becomes the default, whatever it was before."""
    if wanted.get("type") == "semantic_vad":
        return {"eagerness": "auto", "create_response": True, "interrupt_response": True, **wanted}
    return {"type": "server_vad", **asdict(Rules()), **wanted}


def rules_of(settings: dict[str, Any]) -> Rules | None:
    """The rules that a session is set to; None when its client finds the turns."""
    wanted = settings["audio"]["input"]["turn_detection"]
    if wanted is None:
        return None
    rules = {name: value for name, value in wanted.items() if name not in ("type", "eagerness")}
    if "eagerness" in wanted:
        rules["silence_duration_ms"] = PATIENCE_MS[wanted["eagerness"]]
    return Rules(**rules)
