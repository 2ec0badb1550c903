"""Makes ten voices of one: changes the spectra and the pitch that the network predicts, before they become audio.

The network was trained on one speaker (American, female, about 211 Hz). For every 12.5 ms it predicts the pitch, and
spectra at 601 frequencies in steps of 20 Hz. Other speakers differ in pitch, in the length of the vocal tract
(formants) and in brightness (spectral tilt).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_BIN: Final = 20.0  # Hz between two frequencies of a spectrum
_VOICED: Final = 60.0  # Hz; a frame with a lower pitch is unvoiced
_HIGHEST: Final = 500.0  # Hz
_BEYOND: Final = 3.0  # nepers by which a warped spectrum is lower above the highest predicted frequency


@dataclass(frozen=True, slots=True)
class Shape:
    """A speaker, relative to the one of the network.

    `pitch`, `formants` and `pace` are factors; `liveliness` is the exponent on pitch movements;
    `tilt` is brightness in decibels per octave above 500 Hz.
    """

    pitch: float = 1.0
    formants: float = 1.0
    liveliness: float = 1.0
    tilt: float = 0.0
    pace: float = 1.0


SHAPES: Final = {
    "marin": Shape(),
    "shimmer": Shape(pitch=1.2, formants=1.08, liveliness=1.15),
    "coral": Shape(pitch=1.09, formants=1.03, liveliness=1.25, pace=1.04),
    "sage": Shape(pitch=0.98, formants=0.97, liveliness=0.8, pace=0.95),
    "alloy": Shape(pitch=1.04, formants=0.92, tilt=1.0),
    "cedar": Shape(pitch=0.57, formants=0.85, liveliness=0.9, tilt=1.0),
    "echo": Shape(pitch=0.73, formants=0.88, tilt=2.0),
    "ash": Shape(pitch=0.5, formants=0.82, liveliness=0.8, tilt=1.0, pace=0.96),
    "ballad": Shape(pitch=0.66, formants=0.84, liveliness=1.2, tilt=1.5, pace=0.95),
    "verse": Shape(pitch=0.61, formants=0.91, liveliness=1.1, tilt=2.0, pace=1.04),
}


class Frames(NamedTuple):
    """The network's prediction for n frames: five spectra [601, n] (log magnitudes in nepers, phases), pitch [n]."""

    harmonics: Array  # log magnitude
    turn: Array  # phase of the harmonics, before tanh
    noise: Array  # log magnitude
    rest: Array  # log magnitude of the remainder
    phase: Array  # of the remainder
    pitch: Array  # Hz


def shaped(frames: Frames, shape: Shape) -> Frames:
    """The frames of the same words by another speaker."""
    if shape.pitch == shape.formants == 1:
        return frames
    harmonics = _between_harmonics(frames.harmonics, frames.pitch)
    turn = _between_harmonics(frames.turn, frames.pitch)
    # A lower voice has more harmonics in the same band: each must be weaker for the same loudness.
    gain = 0.5 * np.log(shape.pitch) + _tilt(shape.tilt)
    return Frames(
        harmonics=(_warped(harmonics, shape.formants, _BEYOND) + gain).astype(np.float32),
        turn=_warped(turn, shape.formants),
        noise=_warped(frames.noise, shape.formants, _BEYOND),
        rest=_warped(frames.rest, shape.formants, _BEYOND),
        phase=_warped(frames.phase, shape.formants),
        pitch=_repitched(frames.pitch, shape),
    )


def _between_harmonics(spectrum: Array, pitch: Array) -> Array:
    """The envelope over the harmonics of the speaker: between them the network's values are arbitrary.

    Without it, low voices have 5 dB too much at 100 to 250 Hz.
    """
    envelope = spectrum.copy()
    bins = np.arange(len(spectrum), dtype=np.float32)
    for frame in np.flatnonzero(pitch > _VOICED):
        harmonics = np.arange(pitch[frame] / _BIN, bins[-1], pitch[frame] / _BIN)
        envelope[:, frame] = np.interp(bins, harmonics, np.interp(harmonics, bins, spectrum[:, frame]))
    return envelope


def _repitched(pitch: Array, shape: Shape) -> Array:
    """The pitch multiplied by a factor, its movements scaled around its geometric mean."""
    voiced = pitch > _VOICED
    if not voiced.any():
        return pitch
    mean = np.exp(np.log(pitch[voiced]).mean())
    moved = mean * shape.pitch * (np.maximum(pitch, 1) / mean) ** shape.liveliness
    return np.where(voiced, np.clip(moved, _VOICED, _HIGHEST), pitch).astype(np.float32)


def _warped(spectrum: Array, factor: float, beyond: float = 0.0) -> Array:
    """The spectrum with every frequency multiplied by `factor`; above the highest one, its value minus `beyond`."""
    source = np.arange(len(spectrum)) / factor
    below = np.minimum(source.astype(int), len(spectrum) - 2)
    share = np.clip(source - below, 0, 1)[:, None].astype(np.float32)
    warped = spectrum[below] * (1 - share) + spectrum[below + 1] * share
    warped[source > len(spectrum) - 1] = spectrum[-1] - beyond
    return np.ascontiguousarray(warped, np.float32)


def _tilt(decibels: float) -> Array:
    """Nepers for each frequency, [601, 1]: `decibels` per octave around 500 Hz, constant below 100 Hz."""
    hertz = np.maximum(np.arange(601) * _BIN, 100)
    nepers = decibels * np.log2(hertz / 500) * (np.log(10) / 20)
    return np.asarray(nepers[:, None], np.float32)
