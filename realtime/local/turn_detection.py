"""The setting `turn_detection`: null, or server VAD. It is on when nobody has set it."""

from dataclasses import asdict
from typing import Any

from realtime.local.endpointing import Rules
from realtime.local.shape import Rejected, nullable, one_of, record, within

LONGEST_WAIT_MS = 60_000  # for every time in it; ours, for the real bounds are not published

_BOOLEAN = one_of(True, False)
_WAIT_MS = within(0, LONGEST_WAIT_MS, whole=True)
_SERVER_VAD = record(
    ("type",),
    type=one_of("server_vad"),
    threshold=within(0, 1),
    prefix_padding_ms=_WAIT_MS,
    silence_duration_ms=_WAIT_MS,
    create_response=_BOOLEAN,
    interrupt_response=_BOOLEAN,
    idle_timeout_ms=nullable(within(1, LONGEST_WAIT_MS, whole=True)),
)


def turn_detection(value: Any, path: str) -> None:
    """Raise Rejected for anything but null and server VAD."""
    if isinstance(value, dict) and value.get("type") == "semantic_vad":
        message = "This engine does not serve 'semantic_vad': use 'server_vad', or null to commit and create by hand."
        raise Rejected("invalid_value", message, f"{path}.type")
    nullable(_SERVER_VAD)(value, path)


def filled(wanted: dict[str, Any]) -> dict[str, Any]:
    """Server VAD whole: what is left out becomes the default, whatever it was before."""
    return {"type": "server_vad", **asdict(Rules()), **wanted}


def rules_of(settings: dict[str, Any]) -> Rules | None:
    """The rules that a session is set to; None when its client finds the turns."""
    wanted = settings["audio"]["input"]["turn_detection"]
    return Rules(**{name: value for name, value in wanted.items() if name != "type"}) if wanted else None
