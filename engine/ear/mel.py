"""The input of Whisper: a log-mel spectrogram, 80 bands every 10 ms.

Source: "Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al.), section 2.2, with the mel scale
of Slaney's Auditory Toolbox (linear below 1 kHz, logarithmic above).
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 16_000
HOP: Final = 160  # samples: 10 ms
_FFT: Final = 400  # samples: 25 ms
_BANDS: Final = 80
_RANGE: Final = 8.0  # decades below the maximum; lower values are raised to that


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The spectrogram of mono samples at 16 kHz: [80, len(samples) // 160], about -1 to 1."""
    padded = np.pad(samples, _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][: len(samples) // HOP]
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)).astype(np.float32) ** 2
    bands = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    bands = np.maximum(bands, bands.max() - _RANGE)
    return np.ascontiguousarray((bands + 4) / 4, np.float32)


@cache
def _filters() -> NDArray[np.float32]:
    """Triangular filters of equal area over the bins of the FFT: [80, 201]."""
    bins = np.linspace(0, RATE / 2, _FFT // 2 + 1)
    edges = _hertz(np.linspace(0, _mels(RATE / 2), _BANDS + 2))
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
    return (np.maximum(triangles, 0) * 2 / (high - low)).astype(np.float32)


def _mels(hertz: float) -> float:
    return float(15 + np.log(hertz / 1000) * 27 / np.log(6.4))  # for 1 kHz and more


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
