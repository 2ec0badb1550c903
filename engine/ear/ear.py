"""Speech recognition: Whisper base in CTranslate2, int8.

Whisper is trained on windows of 30 s. Here a window is only as long as the speech and 4 s of silence, which is 4 to 5
times less work for the same words; with less silence it repeats sentences.
Hindi is requested as Urdu: Whisper base recognises it well, but only in Urdu letters; when it must write Devanagari it
falls into loops. devanagari.py converts the result.
"""

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import ctranslate2
import numpy as np
import soxr
from numpy.typing import NDArray

from engine import weights
from engine.ear import mel
from engine.ear.cutting import first_cut
from engine.ear.devanagari import Devanagari
from realtime.server.transcription import Transcript, joined

RATE_IN: Final = 24_000

_SHORTEST_WINDOW: Final = 8.0  # seconds
_SILENCE: Final = 4.0  # seconds after the speech
_SHORTEST_CLIP: Final = 0.1  # seconds; shorter ones contain no word
_BEAM: Final = 3
_REPEATING: Final = 1.1  # penalty: 1.0 loops on very short clips, 1.2 hurts
_TOKENS_A_SECOND: Final = {"en": 7, "ur": 20}  # at most; Urdu letters take more tokens

# A window that is probably no speech, and whose words are improbable, is treated as silence. Measured (no-speech
# probability / log probability): silence 0.9/-0.9 to -1.3, noise 0.7 to 0.9/-1.1 to -3.7, tone and hum 0.7 to
# 0.9/-1.1 to -4.4. Speech with a no-speech probability above 0.6 had a log probability above -0.8.
_NO_SPEECH: Final = 0.6
_UNSURE: Final = -0.85
_HOPELESS: Final = -1.4  # below it every result is rejected, e.g. a chord (0.5/-1.9 to -3.4); the worst speech had -1.2
_LOOP: Final = re.compile(r"(..+?)\1{3}")  # the same text four times in a row: Whisper's result for a tone or a chord

_SPELLED_AS: Final = {"en": "en", "hi": "ur"}

Samples = NDArray[np.float32]


class _Guess(NamedTuple):
    language: str
    text: str
    log_probability: float
    no_speech: float

    @property
    def is_speech(self) -> bool:
        looping = _LOOP.search(f"{self.text} ") is not None
        floor = _UNSURE if self.no_speech > _NO_SPEECH else _HOPELESS
        return not looping and self.log_probability >= floor


class Ear:
    """Transcribes English and Hindi. Loading takes about two seconds.

    Up to `workers` threads may transcribe at once, each on one core; they share the weights. Raises WeightsMissing.
    """

    def __init__(self, workers: int = 1) -> None:
        vocabulary = weights.load(weights.WHISPER_2, "data/vocabulary.json")
        files = {
            "model.bin": weights.join(
                [(weights.WHISPER_1, "data/model.bin.part1"), (weights.WHISPER_2, "data/model.bin.part2")]
            ),
            "vocabulary.json": vocabulary,
            "config.json": weights.load(weights.WHISPER_2, "data/config.json"),
        }
        # With `files`, the first argument is only a name: nothing is read from disk and no hub is asked.
        self._whisper = ctranslate2.models.Whisper(
            "whisper-base", files=files, device="cpu", compute_type="int8", intra_threads=1, inter_threads=workers
        )
        self._tokens = _token_bytes(json.loads(vocabulary))
        self._suppressed = [-1, *_pointing(self._tokens)]  # -1: what the model's own configuration suppresses
        self._devanagari = Devanagari()

    def hear(self, pcm: bytes, language: str | None) -> Transcript:
        """Transcribe PCM16 LE mono at 24 kHz: "en" in Latin letters, "hi" in Devanagari; "" if it has no words.

        Without a language, the more probable one is chosen for each window. Raises ValueError for other languages.
        """
        if language not in (None, *_SPELLED_AS):
            raise ValueError(f"the ear hears {', '.join(_SPELLED_AS)}; not {language!r}")
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        if len(samples) < _SHORTEST_CLIP * RATE_IN:
            return Transcript("")
        samples = soxr.resample(samples, RATE_IN, mel.RATE)
        return joined([self._window(window, language) for window in windows(samples)])

    def _window(self, samples: Samples, language: str | None) -> Transcript:
        encoded = self._whisper.encode(ctranslate2.StorageView.from_array(mel.log_mel(_padded(samples))[None]))
        spellings = _SPELLED_AS.values() if language is None else [_SPELLED_AS[language]]
        guesses = [self._guess(encoded, spelling, len(samples) / mel.RATE) for spelling in spellings]
        guess = max(guesses, key=lambda guess: guess.log_probability)
        if not guess.is_speech:
            return Transcript("")
        text = self._devanagari.text(guess.text) if guess.language == "ur" else guess.text
        return Transcript(text, guess.log_probability)

    def _guess(self, encoded: ctranslate2.StorageView, spelling: str, seconds: float) -> _Guess:
        prompt = ["<|startoftranscript|>", f"<|{spelling}|>", "<|transcribe|>", "<|notimestamps|>"]
        result = self._whisper.generate(
            encoded,
            [prompt],
            beam_size=_BEAM,
            max_length=min(448, len(prompt) + 10 + int(max(seconds, _SHORTEST_WINDOW) * _TOKENS_A_SECOND[spelling])),
            repetition_penalty=_REPEATING,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        text = b"".join(self._tokens[token] for token in result.sequences_ids[0])
        return _Guess(spelling, text.decode(errors="ignore").strip(), result.scores[0], result.no_speech_prob)


def windows(samples: Samples) -> Iterator[Samples]:
    """Split audio at 16 kHz into windows of at most 28 s, see cutting.py."""
    while (cut := first_cut(samples, mel.RATE)) < len(samples):
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _padded(samples: Samples) -> Samples:
    """The samples and the silence after them, in whole steps of the encoder (20 ms)."""
    seconds = min(30.0, max(_SHORTEST_WINDOW, len(samples) / mel.RATE + _SILENCE))
    length = int(seconds * mel.RATE) // (2 * mel.HOP) * (2 * mel.HOP)
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def _token_bytes(vocabulary: list[str]) -> list[bytes]:
    """The bytes of each token: byte-level BPE represents each byte by one printable character (the table of GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(others)}
    return [b"" if token.startswith("<|") else bytes(byte_of[character] for character in token) for token in vocabulary]


def _pointing(tokens: list[bytes]) -> list[int]:
    """The tokens with Arabic vowel points: Whisper uses them only where it misrecognises Hindi."""
    return [at for at, token in enumerate(tokens) if re.search("[\u064b-\u0652]", token.decode(errors="ignore"))]
