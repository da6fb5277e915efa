"""Up to which frequency there is music, along a recording.

Above some frequency most records hold noise alone. Three things tell that a band holds more than that: it is louder
than its noise map says; it is louder than it was in quieter moments around (cymbals, consonants); or single bins stand
out more than those of noise do (partials). All are asked five times a second. One yes is enough for seconds on either
side, and more than an octave above is kept as well, because music fades into the noise long before it ends. Where the
map is doubtful nothing is said.

Legend: R rows of 0.19 s, C channels, K bands.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import maximum_filter1d, percentile_filter, uniform_filter1d

from regroove.dsp.band_limit import EVERYTHING
from regroove.dsp.rows import RowCutter, Rows
from regroove.dsp.stft import LONG, SHORT
from regroove.noise.describe.octaves import THIRD_EDGES, band_powers, decibels
from regroove.noise.find.drift import DriftSettings
from regroove.noise.find.found import FoundNoise, Place

# From 4.5 kHz up in third octaves; the last band reaches to half the rate.
EDGES = (*THIRD_EDGES[22:], 22_050.0)
# Windows overlap by half; four long ones, or sixteen short ones, are one row.
_HOP, _FRAMES = LONG.n_fft // 2, 4
ROW = _FRAMES * _HOP
_SHORT_HOP = SHORT.n_fft // 2
_SHORT_FRAMES = ROW // _SHORT_HOP
# A row is as loud as half of its short windows: a click is in two or three of them.
_MIDDLE = 8
# Rows that are transformed at once.
_BATCH = 32
# Bins on either side that a bin is compared with: noise hardly changes over 180 Hz.
_NEAR = 16
# A sound card's own noise: fainter bands are none that anybody hears.
_FAINTEST_DB = -120.0
IGNORED_DB = DriftSettings().ignored_db


@dataclass(frozen=True, kw_only=True)
class MusicTopSettings:
    """When a band holds music. Decibels are those of half of a row's short windows.

    ``over_db`` over the map: drift is followed to 2 dB, and most noise of the presets is over 4 dB in less than 2 % of
    rows. ``risen_db`` over the level exceeded for four fifths of the time within ``around`` seconds on either side, for
    a map may be too high; record noise swishes by 5 dB. ``moment_db`` of the loudest 23 ms of a row, and ``beyond_db``
    more than where noise is alone, in which there may be clicks. ``standing_out_db`` of a bin over its neighbours, of
    which white noise reached 7.7 dB in half a minute, and ``over_lines_db`` more than the map's own bins stand out.
    ``often`` rows within four seconds must say so. ``kept`` seconds on either side are kept as well, and ``margin``
    third octaves above: an orchestra, full band in film noise at 5 dB, has music 8 to 10 dB below the noise from 5.7 to
    9 kHz, and of 2.29 MOS by ViSQOL margins of 1, 3 and 4 leave 1.47, 1.85 and 2.21. A map of no more ``confidence``
    than that is as likely wrong as right.
    """

    over_db: float = 4.0
    risen_db: float = 6.0
    around: float = 10.0
    moment_db: float = 6.0
    beyond_db: float = 3.0
    standing_out_db: float = 8.5
    over_lines_db: float = 3.0
    often: int = 2
    kept: float = 4.0
    margin: int = 4
    confidence: float = 0.5


@dataclass(frozen=True, eq=False)
class MusicTops:
    """The highest bin of the long STFT that is kept, ``(R, C)``; row i is centred on sample (i + 1/2) ROW + ROW / 8.

    >>> MusicTops(np.array([[500.0], [500.0], [700.0]])).at(0, channel=0, hop=ROW, frames=2)
    array([500., 500.], dtype=float32)
    """

    bins: NDArray[np.float32]

    def at(self, start: int, *, channel: int, hop: int, frames: int) -> NDArray[np.float32]:
        """Those of frames centred on samples ``start``, ``start + hop``, ..., straight lines in between."""
        samples = (np.arange(len(self.bins)) + 0.625) * ROW
        asked = start + hop * np.arange(frames)
        return np.interp(asked, samples, self.bins[:, channel]).astype(np.float32)

    def hertz(self, *, sample_rate: int) -> list[list[int]]:
        """The lowest and the highest of each channel, in hertz."""
        edges = np.stack([self.bins.min(axis=0), self.bins.max(axis=0)], axis=1) * sample_rate / LONG.n_fft
        return [[round(hz) for hz in pair] for pair in np.minimum(edges, sample_rate / 2).tolist()]


class TopHistory:
    """Hears a recording in chunks of any size; remembers how loud each band is and how much its bins stand out.

    >>> history = TopHistory(sample_rate=44_100)
    >>> history.add(np.ones((2, 44_100), dtype=np.float32))
    >>> history.finish().shape
    (5, 2, 7, 3)
    """

    def __init__(self, *, sample_rate: int) -> None:
        self._rate = sample_rate
        self._cutter = RowCutter(row=ROW, beyond=_HOP, batch=_BATCH)
        self._rows: list[NDArray[np.float32]] = []

    def add(self, chunk: NDArray[np.float32]) -> None:
        """Hear ``(channels, time)`` more samples."""
        for rows in self._cutter.push(chunk):
            self._transform(rows)

    def finish(self) -> NDArray[np.float32]:
        """Half of the time's level, the loudest moment's and how far a bin stands out, in dB: ``(R, C, K, 3)``."""
        if rows := self._cutter.finish():
            self._transform(rows)
        channels = self._cutter.channels
        return np.concatenate(self._rows) if self._rows else np.zeros((0, channels, len(EDGES) - 1, 3), np.float32)

    def _transform(self, rows: Rows) -> None:
        shape, samples = (len(rows.samples), rows.count), rows.samples
        long = _powers(samples, LONG.n_fft, _HOP).reshape(*shape, _FRAMES, -1)
        outstanding = standing_out(long.mean(axis=2), sample_rate=self._rate)
        short = _powers(samples[:, : rows.count * ROW + _SHORT_HOP], SHORT.n_fft, _SHORT_HOP)
        bands = band_powers(short, EDGES, sample_rate=self._rate).reshape(*shape, _SHORT_FRAMES, -1)
        ordered = decibels(np.maximum(np.partition(bands, [_MIDDLE, _SHORT_FRAMES - 1], axis=2), 1e-20))
        facts = [ordered[:, :, _MIDDLE], ordered[:, :, -1], outstanding]
        self._rows.append(np.stack(facts, axis=-1).swapaxes(0, 1).astype(np.float32))


def _powers(samples: NDArray[np.float32], n_fft: int, hop: int) -> NDArray[np.float32]:
    """``(C, windows, bins)`` of successive windows a hop apart, in the units of a noise map."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, n_fft, axis=1)[:, ::hop]
    hann = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    spectrum = rfft(windows * (hann / np.sqrt(np.square(hann).sum())), axis=-1)
    return np.square(spectrum.real) + np.square(spectrum.imag)


def standing_out(power: NDArray[np.floating], *, sample_rate: int) -> NDArray[np.float64]:
    """How far the highest bin of each band is over the mean around it, in dB: ``(..., F)`` to ``(..., K)``.

    >>> standing_out(np.ones(2049), sample_rate=44_100).round(3).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    at = [round(edge * LONG.n_fft / sample_rate) for edge in EDGES]
    part = np.maximum(power[..., at[0] - _NEAR :], 1e-20)
    ratio = part / uniform_filter1d(part, 2 * _NEAR + 1, axis=-1, mode="nearest")
    most = [
        ratio[..., low - at[0] + _NEAR : high - at[0] + _NEAR].max(axis=-1)
        for low, high in zip(at, at[1:], strict=False)
    ]
    return decibels(np.stack(most, axis=-1))


def music_tops(
    history: NDArray[np.floating], found: FoundNoise, *, sample_rate: int, settings: MusicTopSettings | None = None
) -> MusicTops | None:
    """What :class:`TopHistory` heard against the noise that was found; None where nothing may be cut off."""
    s = settings or MusicTopSettings()
    doubtful = found.place in (Place.NOWHERE, Place.THROUGH_MUSIC) or found.confidence <= s.confidence
    if doubtful or not len(history):
        return None
    tops = np.stack([_tops(history[:, c], found, c, sample_rate, s) for c in range(history.shape[1])], axis=1)
    return MusicTops(tops) if tops.min() < EVERYTHING else None


def _tops(
    history: NDArray[np.floating], found: FoundNoise, channel: int, sample_rate: int, s: MusicTopSettings
) -> NDArray[np.float32]:
    """Of one channel, from ``(R, K, 3)``."""
    rows = sample_rate / ROW
    music = _often(_music(history, found, channel, sample_rate, s), round(4 * rows), s.often)
    bands = music.shape[1]
    # The number of bands that are kept: those up to the highest with music, and the margin.
    highest = np.where(music.any(axis=1), bands - np.argmax(music[:, ::-1], axis=1), 0)
    kept = maximum_filter1d(np.minimum(highest + s.margin, bands), 2 * round(s.kept * rows) + 1, mode="nearest")
    bins = np.array([*(edge * LONG.n_fft / sample_rate for edge in EDGES[:-1]), EVERYTHING])
    # Over a second, which is less than what was added on either side.
    return uniform_filter1d(bins[kept], round(rows), mode="nearest").astype(np.float32)


def _music(
    history: NDArray[np.floating], found: FoundNoise, channel: int, sample_rate: int, s: MusicTopSettings
) -> NDArray[np.bool_]:
    levels, loudest, outstanding = np.moveaxis(history.astype(np.float64), -1, 0)
    mean, typical = (x[channel, :, 0].double().numpy() for x in (found.map.mean, found.map.typical))
    drift = found.drift[channel]
    moved = np.interp((np.arange(len(levels)) + 0.625) * ROW, drift.samples, drift.db)[:, None]
    usual = np.maximum(decibels(np.maximum(band_powers(typical, EDGES, sample_rate=sample_rate), 1e-20)), _FAINTEST_DB)
    around = 2 * round(s.around * sample_rate / ROW) + 1
    quiet = percentile_filter(levels, 20, size=(around, 1), mode="nearest")
    # What all bands have in common, as far as drift leaves it out, is drift.
    left = (quiet - usual - moved).min(axis=1, keepdims=True)
    moved = moved + np.clip(left, 0.0, IGNORED_DB)
    lines = standing_out(mean, sample_rate=sample_rate)
    heard = (levels > usual + moved + s.over_db) | (levels > quiet + s.risen_db)
    # Clicks are louder than their noise as well: what is noise alone says by how much.
    alone = _rows_of(found, len(levels), sample_rate)
    own = (loudest[alone] - usual - moved[alone]).max(axis=0, initial=0.0)
    heard |= loudest > usual + moved + np.maximum(own + s.beyond_db, s.moment_db)
    partials = outstanding > np.maximum(s.standing_out_db, lines + s.over_lines_db)
    return (heard | partials) & (levels > _FAINTEST_DB)


def _rows_of(found: FoundNoise, rows: int, sample_rate: int) -> NDArray[np.bool_]:
    """The rows that lie wholly where the noise was measured."""
    first = np.arange(rows) * ROW / sample_rate
    last = first + (ROW + _HOP) / sample_rate
    inside = [(first >= start) & (last <= end) for start, end in found.measured]
    return np.any([np.zeros(rows, dtype=bool), *inside], axis=0)


def _often(music: NDArray[np.bool_], window: int, count: int) -> NDArray[np.bool_]:
    """Where at least ``count`` rows of those around say so."""
    rows = np.concatenate([np.zeros((1, music.shape[1]), int), np.cumsum(music, axis=0)])
    middle = np.arange(len(music))
    first, last = np.maximum(middle - window // 2, 0), np.minimum(middle + window // 2 + 1, len(music))
    return rows[last] - rows[first] >= count
