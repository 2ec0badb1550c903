"""Hugging Face's speech-to-speech server, with its own protocol and a stub for its models.

Its VAD is loudness, its ear writes how long a turn was, its mind repeats that, and its voice is a tone.

    speech_to_speech_server.py PORT
"""
# mypy: ignore-errors

import sys
import threading
from queue import Queue

import numpy as np
from speech_to_speech.api.openai_realtime.pipeline_unit import PipelineUnit
from speech_to_speech.api.openai_realtime.server import RealtimeServer
from speech_to_speech.api.openai_realtime.service import RealtimeService
from speech_to_speech.pipeline.cancel_scope import CancelScope
from speech_to_speech.pipeline.control import is_control_message
from speech_to_speech.pipeline.events import (
    AssistantOutputEvent,
    AssistantResponseDoneEvent,
    SpeechStartedEvent,
    SpeechStoppedEvent,
    TranscriptionCompletedEvent,
)
from speech_to_speech.pipeline.messages import AUDIO_RESPONSE_DONE, AudioOutput

RATE = 16_000
LOUD = 500  # of 32768
SILENCE = 0.6  # seconds that end a turn
ANSWER = (8000 * np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE)).astype("<i2")  # two seconds
CHUNK = 1600  # samples


class Stub:
    """Listens to one unit and answers it, each in a thread of its own."""

    def __init__(self, index: int) -> None:
        prompts, listening = Queue(), threading.Event()
        service = RealtimeService(text_prompt_queue=prompts, should_listen=listening)
        self.unit = PipelineUnit(
            index=index,
            service=service,
            cancel_scope=CancelScope(),
            should_listen=listening,
            response_playing=threading.Event(),
            input_queue=Queue(),
            output_queue=Queue(),
            text_output_queue=Queue(),
            text_prompt_queue=prompts,
            handlers=[],
        )
        self._turn, self._heard, self._quiet, self._passed = 0, 0.0, 0.0, 0.0
        for work in (self._listen, self._answer):
            threading.Thread(target=work, daemon=True).start()

    def _listen(self) -> None:
        while True:
            item = self.unit.input_queue.get()
            if is_control_message(item) or not isinstance(item, tuple):
                self._heard = 0.0
                self.unit.text_prompt_queue.put(item)
                continue
            samples = np.frombuffer(item[0], "<i2") if isinstance(item[0], bytes) else np.asarray(item[0])
            self._hear(samples)

    def _hear(self, samples: np.ndarray) -> None:
        seconds = len(samples) / RATE
        is_loud = len(samples) and np.abs(samples.astype(float)).mean() > LOUD
        self._passed += seconds
        at = {"turn_id": f"turn_{self._turn}", "turn_revision": 0}
        events = self.unit.text_output_queue
        if not self._heard:
            if is_loud:
                self._heard, self._quiet = seconds, 0.0
                events.put(SpeechStartedEvent(audio_start_ms=int(self._passed * 1000), **at))
            return
        self._heard += seconds
        self._quiet = 0.0 if is_loud else self._quiet + seconds
        if self._quiet >= SILENCE:
            events.put(SpeechStoppedEvent(duration_s=self._heard, audio_end_ms=int(self._passed * 1000), **at))
            words = f"I spoke for {self._heard:.1f} seconds."
            events.put(TranscriptionCompletedEvent(transcript=words, language_code="en", **at))
            self._heard, self._turn = 0.0, self._turn + 1

    def _answer(self) -> None:
        while True:
            asked = self.unit.text_prompt_queue.get()
            if is_control_message(asked) or not hasattr(asked, "response_key"):
                self.unit.output_queue.put(asked)
                continue
            generation = self.unit.cancel_scope.generation
            of = {"cancel_generation": generation, "response_key": asked.response_key}
            turn = {"turn_id": asked.turn_id, "turn_revision": asked.turn_revision}
            put = self.unit.output_queue.put
            put(AssistantOutputEvent(text="You spoke, and I heard you.", **of, **turn))
            for start in range(0, len(ANSWER), CHUNK):
                put(AudioOutput(audio=ANSWER[start : start + CHUNK].tobytes(), **of))
            put(AssistantResponseDoneEvent(**of, **turn))
            put(AudioOutput(audio=AUDIO_RESPONSE_DONE, **of))


if __name__ == "__main__":
    server = RealtimeServer(threading.Event(), [Stub(each).unit for each in range(4)], "127.0.0.1", int(sys.argv[1]))
    server.run()
