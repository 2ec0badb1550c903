"""Voice activity detection by Silero: one ONNX session of ours, shared by all streams.

The state of a stream then has 2 KB; a detector of the package itself has 11 MB.
"""

import math
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from engine import weights

if TYPE_CHECKING:
    import onnxruntime

RATE: Final = 16_000
FRAME: Final = 512  # samples at 16 kHz: 32 ms, the only size that the network takes
SPEECH: Final = 0.5  # at this probability a frame counts as speech
RATE_IN: Final = 24_000

_LOUD: Final = 0.01  # -40 dBFS
_CONTEXT: Final = 64  # samples of the frame before, which the network needs: without them it detects nothing


class Vad:
    """The detector of one stream. Its frames must be consecutive. Raises WeightsMissing when it is made."""

    def __init__(self) -> None:
        self._session = _session()
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)

    def probability(self, frame: bytes) -> float:
        """The probability of speech, 0 to 1, in the next 512 samples of PCM16 LE mono 16 kHz. Raises ValueError."""
        if len(frame) != 2 * FRAME:
            raise ValueError(f"a frame is {FRAME} samples, {2 * FRAME} bytes; got {len(frame)} bytes")
        return self._step(np.frombuffer(frame, "<i2").astype(np.float32) / np.float32(32768))

    def _step(self, samples: NDArray[np.float32]) -> float:
        window = np.concatenate([self._context, samples])
        self._context = window[-_CONTEXT:]
        inputs = {"input": window[None], "state": self._state, "sr": np.array(RATE, np.int64)}
        probability, self._state = self._session.run(None, inputs)
        return float(probability[0, 0])


class Silero:
    """A `Detector` of realtime/server/hearing.py, for one stream. The model is loaded at the first bytes."""

    def __init__(self) -> None:
        # HQ, as for whole clips: it delays a frame by 29 ms. QQ would not remove the hiss.
        self._resampler = soxr.ResampleStream(RATE_IN, RATE, 1, dtype="float32", quality="HQ")
        self._vad: Vad | None = None
        self._odd = b""  # the first half of a sample
        self._waiting = np.zeros(0, np.float32)  # samples at 16 kHz of an incomplete frame

    def hear(self, pcm: bytes) -> list[float]:
        """The probability of speech in each frame of 32 ms that these bytes complete (PCM16 LE mono 24 kHz)."""
        self._vad = self._vad or Vad()
        pcm = self._odd + pcm
        whole = len(pcm) // 2 * 2
        self._odd = pcm[whole:]
        samples = np.frombuffer(pcm[:whole], "<i2").astype(np.float32) / np.float32(32768)
        self._waiting = np.concatenate([self._waiting, self._resampler.resample_chunk(samples)])
        complete = len(self._waiting) // FRAME * FRAME
        frames, self._waiting = self._waiting[:complete], self._waiting[complete:]
        return [self._vad._step(frame) for frame in frames.reshape(-1, FRAME)]


class Loudness:
    """A light `Detector` for tests and simulations: whatever is louder than -40 dBFS is speech."""

    def __init__(self) -> None:
        self._waiting = b""

    def hear(self, pcm: bytes) -> list[float]:
        """1.0 or 0.0 for each frame of 32 ms that these bytes complete (PCM16 LE mono 24 kHz)."""
        self._waiting += pcm
        size = FRAME * RATE_IN // RATE * 2  # bytes
        complete = len(self._waiting) // size * size
        frames, self._waiting = self._waiting[:complete], self._waiting[complete:]
        samples = np.frombuffer(frames, "<i2").astype(np.float32).reshape(-1, size // 2) / np.float32(32768)
        return [float(power > _LOUD**2) for power in (samples**2).mean(axis=1)]


def speech_seconds(pcm24k: bytes, enough: float = math.inf) -> float:
    """Seconds of speech in a clip of PCM16 LE mono at 24 kHz. It stops counting at `enough`."""
    clip = np.frombuffer(pcm24k, "<i2").astype(np.float32) / np.float32(32768)
    clip = soxr.resample(clip, RATE_IN, RATE)
    clip = np.pad(clip, (0, -len(clip) % FRAME))
    vad, seconds = Vad(), 0.0
    for frame in clip.reshape(-1, FRAME):
        seconds += (vad._step(frame) >= SPEECH) * FRAME / RATE
        if seconds >= enough:
            break
    return seconds


@cache
def _session() -> "onnxruntime.InferenceSession":
    import onnxruntime  # here, as weights.py must have disabled its telemetry before

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    model = weights.load(weights.SILERO, "data/silero_vad.onnx")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
