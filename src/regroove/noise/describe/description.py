"""What is known about the noise of a recording, as a frozen value and as JSON."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regroove.noise.describe.bandwidth import Band, music_bandwidth, noise_bandwidth
from regroove.noise.describe.likeness import Likeness
from regroove.noise.describe.octaves import OCTAVE_EDGES, OCTAVES, THIRD_EDGES, band_powers, decibels
from regroove.noise.describe.quiet import QuietStretch
from regroove.noise.describe.warnings import warnings_of
from regroove.noise.find.drift import NoiseDrift
from regroove.noise.find.found import FoundNoise
from regroove.noise.find.lines import Line, Lines, find_lines


@dataclass(frozen=True, kw_only=True)
class ChannelNoise:
    """The noise of one channel.

    Args:
        level_dbfs: its RMS, a constant 1.0 being 0 dBFS; None where there is no noise.
        octaves_dbfs: that of each octave, by its nominal centre in hertz; None where there is nothing.
        drift_db: the least and the most that its level is from the map along the recording.
        lines: steady tones in it.
    """

    level_dbfs: float | None
    octaves_dbfs: dict[float, float | None]
    drift_db: tuple[float, float]
    lines: Lines


@dataclass(frozen=True, kw_only=True)
class NoiseDescription:
    """What the finder and the meters say about a recording.

    Args:
        found: the noise, where it was measured, its confidence, and the states of the side.
        channels: the noise of each channel.
        music_hz: the lowest and highest frequency at which music rises above the noise; None where it does not.
        noise_hz: the 20 dB bandwidth of the noise, the widest of all channels; None without noise.
        clicks_per_minute: clicks in each channel, on average.
        likeness: the two channels against each other; None for one channel.
        quiet: the quietest half second, if there is one.
    """

    found: FoundNoise
    channels: tuple[ChannelNoise, ...]
    music_hz: Band | None
    noise_hz: Band | None
    clicks_per_minute: float
    likeness: Likeness | None
    quiet: QuietStretch | None

    def as_json(self) -> dict[str, object]:
        """Everything but the map, in values that JSON knows."""
        like = self.likeness
        return {
            **_noise(self.found, self.channels),
            "bandwidth_hz": {"music": _rounded(self.music_hz, 0), "noise": _rounded(self.noise_hz, 0)},
            "clicks_per_minute": round(self.clicks_per_minute, 1),
            "channels_alike": None
            if like is None
            else {
                "alike": like.alike.value,
                "difference_db": _round(like.difference_db, 1),
                "correlation": _round(like.correlation, 4),
                "gain_db": _round(like.gain_db, 2),
            },
            "warnings": warnings_of(self.found, quiet=self.quiet),
        }


def describe_channels(found: FoundNoise, *, sample_rate: int) -> tuple[ChannelNoise, ...]:
    """Level, octaves, drift and lines of each channel of what was found."""
    means, typicals = (power[..., 0].double().numpy() for power in (found.map.mean, found.map.typical))
    parts = zip(means, typicals, found.drift, strict=True)
    return tuple(_channel(mean, typical, drift, sample_rate) for mean, typical, drift in parts)


def describe_noise(found: FoundNoise, *, sample_rate: int) -> dict[str, object]:
    """The noise that was found, for a receipt: its place, its confidence, the states of the side, and each channel.

    >>> import torch
    >>> from regroove.dsp.noise_map import NoiseMap
    >>> from regroove.noise.find.drift import STEADY
    >>> from regroove.noise.find.found import Place
    >>> white = NoiseMap(torch.full((1, 2049, 1), 1e-6), torch.full((1, 2049, 1), 1e-6))
    >>> found = FoundNoise(map=white, drift=(STEADY,), place=Place.LEAD_IN, measured=((0, 1.5),), confidence=1.0)
    >>> described = describe_noise(found, sample_rate=44_100)
    >>> described["place"], described["seconds"], described["channels"][0]["level_dbfs"]
    ('lead-in', 1.5, -60.0)
    """
    return _noise(found, describe_channels(found, sample_rate=sample_rate))


def _noise(found: FoundNoise, channels: tuple[ChannelNoise, ...]) -> dict[str, object]:
    return {
        "place": found.place.value,
        "confidence": round(found.confidence, 2),
        "reasons": list(found.reasons),
        "seconds": round(found.seconds, 2),
        "measured": [[round(start, 2), round(end, 2)] for start, end in found.measured],
        "states": [{"start": round(s.start, 2), "end": round(s.end, 2), "state": s.state.value} for s in found.states],
        "channels": [
            {
                "level_dbfs": _round(channel.level_dbfs, 1),
                "octaves_dbfs": {f"{centre:g}": _round(db, 1) for centre, db in channel.octaves_dbfs.items()},
                "drift_db": _rounded(channel.drift_db, 1),
                "lines": _lines(channel.lines),
            }
            for channel in channels
        ],
    }


def bandwidths(
    history: NDArray[np.floating], times: NDArray[np.floating], found: FoundNoise, *, sample_rate: int
) -> tuple[Band | None, Band | None]:
    """The bandwidth of the music and that of the noise, the widest of all channels.

    Args:
        history: powers of third octaves, ``(rows, channels, third octaves)``.
        times: the sample in the middle of each row, ``(rows,)``.
    """
    music, noise = [], []
    for channel, drift in enumerate(found.drift):
        mean, typical = (x[channel, :, 0].double().numpy() for x in (found.map.mean, found.map.typical))
        if not mean.any():
            continue
        noise.append(noise_bandwidth(mean, sample_rate=sample_rate))
        usual = decibels(band_powers(typical, THIRD_EDGES, sample_rate=sample_rate))
        moved = np.interp(times, drift.samples, drift.db)[:, None]
        # Where a recording has no noise at all it has no music either.
        excess = np.where(np.isfinite(usual), decibels(history[:, channel]) - usual - moved, -np.inf)
        music.append(music_bandwidth(excess, sample_rate=sample_rate))
    return _widest(music), _widest(noise)


def _channel(
    mean: NDArray[np.float64], typical: NDArray[np.float64], drift: NoiseDrift, sample_rate: int
) -> ChannelNoise:
    octaves = decibels(band_powers(mean, OCTAVE_EDGES, sample_rate=sample_rate))
    return ChannelNoise(
        level_dbfs=_finite(decibels(mean.mean())),
        octaves_dbfs={centre: _finite(db) for centre, db in zip(OCTAVES, octaves, strict=True)},
        drift_db=(float(drift.db.min()), float(drift.db.max())),
        lines=find_lines(mean, typical, sample_rate=sample_rate),
    )


def _lines(lines: Lines) -> list[dict[str, object]]:
    numbers = {line: number for number, line in lines.hum}
    return [_line(line, numbers.get(line), lines.mains_hz) for line in lines.all]


def _line(line: Line, harmonic: int | None, mains_hz: float | None) -> dict[str, object]:
    part: dict[str, object] = {
        "frequency_hz": round(line.frequency_hz, 1),
        "level_dbfs": round(line.level_dbfs, 1),
        "over_db": round(line.over_db, 1),
    }
    return part if harmonic is None else {**part, "mains_hz": _round(mains_hz, 2), "harmonic": harmonic}


def _widest(bands: list[Band | None]) -> Band | None:
    there = [band for band in bands if band is not None]
    return (min(low for low, _ in there), max(high for _, high in there)) if there else None


def _finite(db: float | NDArray[np.float64]) -> float | None:
    return float(db) if np.isfinite(db) else None


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _rounded(values: Band | None, digits: int) -> list[float] | None:
    return None if values is None else [round(value, digits) for value in values]
