"""A streamed call on a stage: what its caller says, and what the test lets the model hear and say."""

from base64 import b64decode, b64encode
from typing import Any

from actors.messages.caller import Chose, ResponseDone, Spoke
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import TINA
from upstream.facts import BYTES_PER_MS

FRAME = 20 * BYTES_PER_MS
LOUD_FRAME = bytes([0, 32, 0, 224]) * (FRAME // 4)


def speak(scene: Scene, ms: int, mark: int = 1) -> None:
    """The caller says something, frame by frame; every byte of it is `mark`."""
    for _ in range(ms // 20):
        scene.says(Spoke(bytes([mark]) * FRAME))


def heard(wire: Wire) -> bytes:
    """All audio that was appended."""
    return b"".join(b64decode(event["audio"]) for event in wire.sent if event["type"] == "input_audio_buffer.append")


def begin(wire: Wire, response: str, metadata: Any = None) -> None:
    """A response begins, with an item of its own."""
    wire.say(type="response.created", response={"id": response, "metadata": metadata})
    wire.say(type="response.output_item.added", response_id=response, item={"id": f"item of {response}"})


def give(wire: Wire, response: str, words: str, seconds: float = 1.0) -> None:
    """Some more of it: words, then the sound of them."""
    wire.say(type="response.output_audio_transcript.delta", response_id=response, delta=words)
    audio = b64encode(bytes(int(48_000 * seconds))).decode()
    wire.say(type="response.output_audio.delta", response_id=response, delta=audio)


def finish(wire: Wire, response: str, status: str = "completed") -> None:
    """It is done."""
    wire.say(type="response.done", response={"id": response, "status": status})


def asked(wire: Wire) -> Any:
    """The metadata of the newest response.create."""
    return wire.last("response.create")["response"]["metadata"]


def turn(wire: Wire, item: str, at_ms: int) -> None:
    """The model hears a turn of a second by itself."""
    wire.say(type="input_audio_buffer.speech_started", item_id=item, audio_start_ms=at_ms)
    wire.say(type="input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=at_ms + 1000)
    wire.say(type="input_audio_buffer.committed", item_id=item)


def write_down(wire: Wire, item: str, words: str) -> None:
    """The model knows the words of a turn."""
    wire.say(type="conversation.item.input_audio_transcription.completed", item_id=item, transcript=words)


def on_the_line(scene: Scene) -> Wire:
    """A streamed call whose greeting was heard to its end."""
    scene.says(Chose(TINA, "stream"))
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "Namaste.")
    finish(wire, "greeting")
    scene.stage.advance(2)
    scene.caller.fish_for(ResponseDone)
    return wire
