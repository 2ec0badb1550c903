"""What happened in a run, for whoever must understand it."""

from collections.abc import Iterator
from typing import Any

import orjson

from actors.messages.caller import AudioResponse, Recorded, Sound, Spoke
from tests.simulation.world import World

MOST_LINES = 3000


def story(world: World) -> str:
    """The end of the log, and how to see it again."""
    lines = list(_lines(world))
    left_out = [f"({len(lines) - MOST_LINES} lines before)"] if len(lines) > MOST_LINES else []
    again = f"seed {world.seed}: pytest tests/simulation/test_simulation.py --simulation-seed {world.seed}"
    return "\n".join(["", *left_out, *lines[-MOST_LINES:], "", *world.faults, again])


def _lines(world: World) -> Iterator[str]:
    for at, who, what in world.log:
        yield f"{at:9.3f} {who:>12} {_text(world, what)}"


def _text(world: World, what: Any) -> str:
    match what:
        case Sound(response, pcm) | AudioResponse(response, pcm):
            return f"{type(what).__name__} {response} {_pieces(world, bytes(pcm))}"
        case Spoke(bytes(pcm)) | Recorded(bytes(pcm)):
            return f"{type(what).__name__} {len(pcm) // 48} ms {_pieces(world, pcm)}"
        case dict():
            return _event(what)
        case _:
            return str(what)


def _pieces(world: World, pcm: bytes) -> str:
    return " ".join(f"{piece.word.text}[{piece.first}-{piece.end}]" for piece in world.sounds.read(pcm))


def _event(event: dict[str, Any]) -> str:
    """An event of the Realtime wire, without what is long."""
    short = {name: value for name, value in event.items() if name not in ("type", "audio", "session", "event_id")}
    if len(str(short.get("delta", ""))) > 60:
        short["delta"] = "..."
    response = short.get("response")
    if isinstance(response, dict):
        keys = ("id", "status", "status_details", "metadata")
        short["response"] = {key: response[key] for key in keys if response.get(key)}
        short["response"] |= {"instructions": str(response.get("instructions"))[-60:]}
    return f"{event.get('type')} {orjson.dumps(short).decode()}"
