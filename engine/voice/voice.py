"""Speech synthesis, clause by clause.

    text ─▶ clauses ─▶ runs of one script ─▶ phonemes (English: hibari; Hindi: hindi.py) ─▶ the network of hibari
         ─▶ frames ─▶ shaping.py (ten speakers) ─▶ hibari's synthesis ─▶ PCM at a constant loudness

hibari: Apache-2.0.
"""

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from threading import Lock
from typing import Final

import numpy as np
from hibari import Hibari, dsp

from engine import weights
from engine.voice import hindi
from engine.voice.shaping import SHAPES, Array, Frames, shaped

RATE: Final = 24_000
LOUDNESS: Final = 0.09  # RMS of a chunk, full scale 1.0
FIRST: Final = 60  # characters: a longer first chunk is cut at a comma, so that audio comes early
LONGEST: Final = 200  # characters of a chunk; the network accepts at most 510 phonemes

_SEED: Final = 0  # of the noise in the voice, so that the same words give the same bytes
_UNSAYABLE: Final = re.compile(r"[^A-Za-z\u00c0-\u024f\u0900-\u097f\u200c\u200d0-9\s.,!?;:'\"()%&+@$£€—…-]")
_BREAK: Final = re.compile(r"(?<=[,;:—])\s+")
_TOKEN: Final = re.compile(r"[\u0900-\u0963\u0971-\u097f\u200c\u200d]+|[A-Za-z\u00c0-\u024f'’]+|.", re.DOTALL)


class Voice:
    """Speaks English and Hindi, also within one sentence. Loading takes about a second. Raises WeightsMissing."""

    def __init__(self) -> None:
        weights.check(weights.HIBARI)  # it reads most of its files itself
        # hibari passes `model` to onnxruntime, which also accepts bytes. Never pass `voice`: that would download.
        self._network = Hibari(model=weights.load(weights.HIBARI, "assets/hibari.onnx"), threads=1)
        self._network.g2p.oov("warm")  # loads the model for unknown words, which would delay the first of a call
        self._g2p_lock = Lock()  # several threads may synthesise at once, but hibari's g2p is not thread-safe

    def say(self, text: str, voice: str) -> Iterator[bytes]:
        """Synthesise: PCM16 LE mono at 24 kHz, one chunk for each clause, as soon as it is made.

        No chunks if the text has nothing that can be pronounced. Raises ValueError for a voice that is not in SHAPES.
        """
        if voice not in SHAPES:
            raise ValueError(f"no voice {voice!r}; there are {', '.join(SHAPES)}")
        return self._chunks(text, voice)

    def _chunks(self, text: str, voice: str) -> Iterator[bytes]:
        for clause in clauses(text):
            phonemes = self._phonemes(clause)
            if any(sign.isalpha() for sign in phonemes):
                yield _pcm(self._sound(phonemes, voice))

    def _phonemes(self, clause: str) -> str:
        with self._g2p_lock:
            parts = [hindi.phonemes(run) if is_hindi else self._network.g2p(run) for is_hindi, run in runs(clause)]
        return re.sub(r"\s+([.,!?;:])", r"\1", " ".join(part.strip() for part in parts if part))

    def _sound(self, phonemes: str, voice: str) -> Array:
        shape = SHAPES[voice]
        inputs = {
            "ids": np.asarray([self._network.ids(phonemes)], np.int64),
            "speed": np.asarray([shape.pace], np.float32),
        }
        frames = shaped(Frames(*(output[0] for output in self._network.sess.run(None, inputs))), shape)
        wave: Array = dsp.synth(*frames, np.random.default_rng(_SEED))
        return wave


def clauses(text: str) -> Iterator[str]:
    """Split a text into sentences, and long ones at commas. Characters that cannot be pronounced are removed."""
    first = FIRST
    for sentence in Hibari.split_sentences(_sayable(text)):
        for clause in _cut(sentence, first):
            yield clause
            first = LONGEST


def runs(clause: str) -> Iterator[tuple[bool, str]]:
    """Split a clause into runs: (is Hindi, text). Numbers and punctuation belong to the word before them."""
    tokens = _TOKEN.findall(clause)
    scripts = [_is_hindi(token) for token in tokens]
    script = next((script for script in scripts if script is not None), False)
    tagged = []
    for token, own in zip(tokens, scripts, strict=True):
        script = script if own is None else own
        tagged.append((script, token))
    for is_hindi, run in groupby(tagged, key=lambda pair: pair[0]):
        yield is_hindi, "".join(token for _, token in run)


def _is_hindi(token: str) -> bool | None:
    """True for Devanagari, False for Latin letters, None for others."""
    if "\u0900" <= token[0] <= "\u097f":
        return True
    return False if token[0].isalpha() else None


def _sayable(text: str) -> str:
    rupees = "रुपये" if re.search("[\u0900-\u097f]", text) else "rupees"
    text = unicodedata.normalize("NFC", text).replace("’", "'")
    text = re.sub(r"₹\s*(\d[\d,.]*\d|\d)", rf"\1 {rupees}", text)
    text = re.sub("[।॥]", ". ", text)
    return re.sub(r"[^\S\n]+", " ", _UNSAYABLE.sub(" ", text))


def _cut(sentence: str, first: int) -> Iterator[str]:
    """Cut a sentence into pieces of at most LONGEST; the first of at most `first`, if there is a comma for it."""
    piece, limit = "", first
    for part in _parts(sentence):
        if piece and len(piece) + len(part) >= limit:
            yield piece
            piece, limit = part, LONGEST
        else:
            piece = f"{piece} {part}".strip()
    yield piece


def _parts(sentence: str) -> Iterator[str]:
    """Split at commas; parts longer than LONGEST between words, and longer words anywhere."""
    for part in _BREAK.split(sentence):
        yield from textwrap.wrap(part, LONGEST)


def _pcm(wave: Array) -> bytes:
    """Normalise the loudness, limit the peaks softly (tanh), and convert to PCM16."""
    level = np.sqrt((wave**2).mean())
    wave = wave * (LOUDNESS / max(level, 1e-4))
    rounded = np.tanh(wave * 1.2) / 1.2
    return bytes((rounded * 32767).astype("<i2").tobytes())
