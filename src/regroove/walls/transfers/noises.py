"""The noise of each transfer, from the project's finder, at any moment and frequency of the reference."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.audio.source import Source
from regroove.dsp.stft import LONG
from regroove.noise.find.finder import HearNoise, NoiseFinder
from regroove.noise.find.found import FoundNoise, Place
from regroove.walls.transfers import fine
from regroove.walls.transfers.curve_reading import at_rate

Values = NDArray[np.float64]
MAP_RATE = 44_100
_BIN = MAP_RATE / LONG.n_fft


@dataclass(frozen=True, eq=False)
class ChannelNoise:
    """The noise of one channel: its power density in each bin of the noise map, ``(bins,)``, and its drift in dB."""

    density: Values
    at: Values
    drift_db: Values
    known: bool

    def densities(self, hertz: Values) -> Values:
        """Power density (for white noise its variance over the rate) at frequencies; above the map as at its top."""
        top = int(0.95 * len(self.density))
        return np.interp(hertz, _BIN * np.arange(top), self.density[:top])

    def gains(self, seconds: Values) -> Values:
        """By how much the power differs from the map's at some seconds of the transfer."""
        return 10 ** (np.interp(seconds, self.at, self.drift_db) / 10)

    def band_powers(self) -> Values:
        """The power that the frames of the fine match have of it in each band, ``(B,)``."""
        hertz = np.arange(fine.N // 2 + 1) * fine.RATE / fine.N
        energy = np.sum(np.hanning(fine.N) ** 2) * fine.RATE
        return fine.in_bands(self.densities(hertz)[None] * energy)[0]


def find_noise(source: Source, *, hear: HearNoise | None) -> tuple[tuple[ChannelNoise, ...], FoundNoise]:
    """The noise of each channel of a transfer, and what the finder says of it."""
    finder = NoiseFinder(sample_rate=MAP_RATE, channels=source.channels, hear=hear)
    for block in at_rate(source.blocks(), source, rate_in=source.sample_rate, rate_out=MAP_RATE):
        if block.shape[1]:
            finder.add(torch.from_numpy(np.ascontiguousarray(block, dtype=np.float32)))
    found = finder.finish()
    known = found.place is not Place.NOWHERE
    means = found.map.mean[..., 0].double().numpy() / MAP_RATE
    return tuple(
        ChannelNoise(mean, drift.samples / MAP_RATE, drift.db, known and bool(mean.any()))
        for mean, drift in zip(means, found.drift, strict=True)
    ), found


def from_differences(tracks: list[fine.Track], *, of_reference: bool) -> ChannelNoise:
    """The noise of a recording whose finder found none: what of it does not cohere with the other."""
    x, y = (np.concatenate([getattr(t, k) for t in tracks]).mean(axis=0, dtype=np.float64) for k in ("x", "y"))
    c = np.abs(np.concatenate([t.c for t in tracks]).mean(axis=0, dtype=np.complex128))
    own = x if of_reference else y
    coherence = np.minimum(c / np.sqrt(np.maximum(x * y, 1e-30)), 0.9999)
    hertz = np.arange(LONG.bins) * _BIN
    flat = fine.in_bands(np.full((1, fine.N // 2 + 1), np.sum(np.hanning(fine.N) ** 2) * fine.RATE))[0]
    density = own * (1 - coherence) / flat
    spread = np.exp(np.interp(np.log(hertz + 1), np.log(fine.CENTRES), np.log(density + 1e-30)))
    return ChannelNoise(spread, np.zeros(1), np.zeros(1), False)
