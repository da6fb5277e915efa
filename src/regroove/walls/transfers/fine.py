"""The fine match: the delay of every moment from the phases of the cross-spectrum, and a smooth curve through it.

For small delays the phase of a bin is the delay times its frequency. Its variance is known from the coherence, so all
bins are averaged with the weights of the best estimate (Knapp and Carter, "The generalized correlation method for
estimation of time delay", IEEE Trans. ASSP 24(4), 1976). Each pass reads the transfer along the curve of the pass
before it and looks a little higher: 0.05 samples at 44.1 kHz are 3 degrees at 8 kHz, but wow turns those bins by whole
turns at first.

Legend: T frames, B bands; C = X conj(Y) summed over a band, X of the reference, Y of the transfer along its curve.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from regroove.audio.source import Samples, Source
from regroove.walls.transfers.curve_reading import DRAFT, along
from regroove.walls.transfers.features import RATE, analysed, frames_of
from regroove.walls.transfers.smooth import fitted
from regroove.walls.transfers.turning import turning
from regroove.walls.transfers.warp import Piece, Warp

N = 2048
HOP = 1024
HOP_SECONDS = HOP / RATE
# Third octaves from 50 Hz; what is above 10 kHz is noise in transfers of old records.
EDGES = tuple(float(f) for f in np.geomspace(50.0, 10_000.0, 25))
_BINS = np.unique(np.rint(np.array(EDGES) * N / RATE).astype(int))
_TINY = 1e-30
# The variance of a delay for each unit of certainty (Knapp and Carter, equation 40): a half, for bins that are
# independent, of which Hann's window leaves two thirds.
_VARIANCE = 0.75
# No frame is trusted to less, in seconds: 0.02 samples at 44.1 kHz.
_SUREST = 0.02 / 44_100
# Seconds that the middle match may be wrong by, and between two trials: a sixth of a period at 10 kHz.
_REACH, _STEP = 8e-4, 16e-6
# Frames that are searched together.
_TOGETHER = 5
# Frames about one, 0.4 s, that its coherence is measured in.
_NEAR = 9
# And where it is above that of chance by this factor, which it is once in a thousand bands of noise alone: exp(-7).
_COMMON = 7.0
CENTRES = 0.5 * (_BINS[1:] + _BINS[:-1] - 1) * RATE / N


@dataclass(frozen=True, kw_only=True)
class FineSettings:
    """Passes: up to which hertz each looks. No coherence counts for more than ``most``."""

    limits: tuple[float, ...] = (1_000.0, 2_500.0, 6_000.0, 10_000.0)
    most: float = 0.999
    stiffness: float = 2.0


@dataclass(frozen=True, eq=False)
class Track:
    """How two recordings agree, frame by frame along a piece.

    ``at`` (T,) are the frames' middles in seconds of the reference, ``x``, ``y`` (T, B) the powers of the reference and
    the transfer and ``c`` (T, B) their cross-power.
    """

    at: NDArray[np.float64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    c: NDArray[np.complex64]


def compare(reference: Source, transfer: Source, piece: Piece) -> Track:
    """Compare the reference with a transfer that is read along a piece of its time map."""
    first, last = round(piece.start * RATE), round(piece.end * RATE)
    span = {"sample_rate": RATE, "start": first, "stop": last, "quality": DRAFT}
    pair = (
        frames_of(along(analysed(source), curve, speed=speed, **span), length=N, hop=HOP)  # type: ignore[arg-type]
        for source, curve, speed in ((reference, _same, 1.0), (transfer, piece, piece.speed))
    )
    x, y, c = ([np.zeros((0, len(CENTRES)))] for _ in range(3))
    for a, b in zip(*map(_spectra, pair), strict=True):
        x.append(in_bands(np.abs(a) ** 2))
        y.append(in_bands(np.abs(b) ** 2))
        c.append(in_bands(a * b.conj()))
    at = (first + N / 2 + HOP * np.arange(sum(map(len, x)))) / RATE
    return Track(
        at, np.concatenate(x).astype(np.float32), np.concatenate(y).astype(np.float32),
        np.concatenate(c).astype(np.complex64),
    )  # fmt: skip


def _same(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return seconds


def _spectra(frames: Iterator[Samples]) -> Iterator[NDArray[np.complex128]]:
    window = np.hanning(N)
    return (np.fft.rfft(part * window, axis=1) for part in frames)


def in_bands(values: NDArray) -> NDArray:
    """The sums of ``(frames, bins)`` values over each band."""
    return np.add.reduceat(values[:, : _BINS[-1]], _BINS[:-1], axis=1)


@dataclass(frozen=True, eq=False)
class Agreement:
    """What all frames say of each band, ``(B,)``: the coherence, and the cross-power's phase that is no delay."""

    coherence: NDArray[np.float64]
    phase: NDArray[np.float64]
    most: float


def agreement(tracks: list[Track], *, polarity: int, limit: float, settings: FineSettings) -> Agreement:
    """The coherence of bands up to ``limit`` hertz, 0 above, and their phases beyond a common delay."""
    x, y = (sum(getattr(t, k).sum(axis=0, dtype=np.float64) for t in tracks) for k in ("x", "y"))
    c = polarity * sum(t.c.sum(axis=0, dtype=np.complex128) for t in tracks)
    coherence = np.abs(c) / np.sqrt(np.maximum(x * y, _TINY))
    coherence = np.where(limit >= CENTRES, np.minimum(coherence, settings.most), 0.0)
    omega = 2 * np.pi * CENTRES
    weight = _weights(coherence) / np.sqrt(np.maximum(x * y, _TINY))
    delay = float((weight * omega * c.imag).sum() / max((weight * omega**2 * np.abs(c)).sum(), _TINY))
    return Agreement(coherence, np.angle(c * np.exp(-1j * omega * delay)), settings.most)


def _weights(coherence: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse variance of a bin's phase, for a music of power 1: of the noise in both, and of noise times noise."""
    noise = 1 - coherence
    return np.where(coherence > 0, 1 / (2 * noise + noise**2 / np.maximum(coherence, 1e-3)), 0.0)


def shifts(track: Track, heard: Agreement, *, polarity: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how many seconds each frame is still late, and the inverse variance of that: both ``(T,)``.

    Weights are those of the coherence about each frame, so that a band speaks only where it holds music and the curve
    is already good enough for its frequency.
    """
    omega = 2 * np.pi * CENTRES
    c = polarity * track.c * np.exp(-1j * heard.phase)
    x, y, near = (scipy.ndimage.uniform_filter1d(v, _NEAR, axis=0) for v in (track.x, track.y, c))
    power = np.sqrt(np.maximum(x * y, _TINY))
    # Chance gives independent bins a square of one over their number.
    chance = 1 / np.maximum(_NEAR * np.diff(_BINS) / 2, 2)
    square = np.minimum(np.abs(near) / power, 1.0) ** 2
    heard_here = (heard.coherence > 0) & (square > _COMMON * chance)
    coherence = np.where(
        heard_here, np.minimum(np.sqrt(np.clip((square - chance) / (1 - chance), 0, 1)), heard.most), 0.0
    )
    # A sum over more bins is known better.
    weight = np.diff(_BINS) * _weights(coherence) / power
    begin = _search(weight * c, omega)
    c = c * np.exp(-1j * omega * begin[:, None])
    slope = (weight * omega * c.imag).sum(axis=1)
    certainty = (weight * omega**2 * c.real).sum(axis=1)
    known = certainty > 0
    certainty = np.where(known, certainty, 1.0)
    return begin + np.where(known, slope / certainty, 0.0), known / (_VARIANCE / certainty + _SUREST**2)


def _search(c: NDArray[np.complexfloating], omega: NDArray[np.float64]) -> NDArray[np.float64]:
    """The delay at which the bands agree best, on a grid and with the frames beside, where phases may have turned."""
    grid = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    turned = np.exp(-1j * omega[:, None] * grid)
    # Where several are as good the nearest to none is taken.
    fit = (c @ turned).real
    fit = scipy.ndimage.uniform_filter1d(fit, _TOGETHER, axis=0)
    fit -= 1e-3 * np.abs(fit).max(axis=1, keepdims=True) * (grid / _REACH) ** 2
    return grid[fit.argmax(axis=1)]


def refine(
    reference: Source,
    transfer: Source,
    warp: Warp,
    *,
    polarity: int,
    settings: FineSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Warp, list[Track]]:
    """A time map made exact, and how the recordings agree along its pieces at the end."""
    s = settings or FineSettings()
    for number, limit in enumerate(s.limits):
        tracks = [compare(reference, transfer, piece) for piece in warp.pieces]
        heard = agreement(tracks, polarity=polarity, limit=limit, settings=s)
        pieces = []
        for piece, track in zip(warp.pieces, tracks, strict=True):
            late, weights = shifts(track, heard, polarity=polarity)
            pieces.append(_moved(piece, track.at, late, weights, s.stiffness))
        warp = Warp(tuple(pieces))
        if progress:
            progress((number + 1) / (len(s.limits) + 1))
    return warp, [compare(reference, transfer, piece) for piece in warp.pieces]


def _moved(
    piece: Piece, at: NDArray[np.float64], late: NDArray[np.float64], weights: NDArray[np.float64], stiffness: float
) -> Piece:
    """The piece with its curve through what was measured."""
    if (weights > 0).sum() < 3:
        return piece
    value = piece(at)
    # Only what is still wrong is smoothed: wow, hundreds of times larger than the errors, would be taken for outliers.
    curve = value + fitted(late, weights, stiffness=stiffness)
    line = np.polyval(np.polyfit(at - at[0], value, 1), at - at[0])
    return replace(piece, at=at, value=line + turning(at, value + late - line, weights, start=curve - line))
