"""The weights of the best linear estimate, by band and moment, from what the transfers have in common.

Every transfer is the music plus its own noise: Z_i = S + N_i. In a cell of some bins and frames the covariance of the
transfers tells the power of each one's noise, with the noise map as what is expected (factor analysis by EM; Rubin and
Thayer, "EM algorithms for ML factor analysis", Psychometrika 47, 1982, with a conjugate prior). The weights are the
inverse powers and add up to 1, so that the music stays as it is.

Legend: N transfers, B bands, F bins, T frames.
"""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WeightSettings:
    """How noise is estimated in cells.

    A band has at least ``fewest`` bins, a cell the ``frames`` about each frame. The noise map counts as much as
    ``prior`` independent bins.
    """

    fewest: int = 8
    frames: int = 3
    prior: float = 16.0
    rounds: int = 8


def band_edges(bins: int, fewest: int) -> NDArray[np.int64]:
    """First bins of bands a third of an octave wide, but at least ``fewest`` bins, and the one after the last.

    >>> band_edges(100, 8)
    array([  0,   8,  16,  24,  32,  40,  50,  63,  79, 100])
    """
    edges = [0]
    while edges[-1] < bins:
        edges.append(max(edges[-1] + fewest, round(edges[-1] * 2 ** (1 / 3))))
    # The last is not narrower than its neighbour by much.
    edges = [e for e in edges if e < bins - fewest // 2] + [bins]
    return np.array(edges)


def noise_in_cells(spectra: NDArray[np.complexfloating], expected: Values, settings: WeightSettings) -> Values:
    """The power of each transfer's noise in each band and frame over what was expected: ``(N, B, T)``.

    Args:
        spectra: ``(N, F, T)``, aligned and matched.
        expected: the noise's power, ``(N, F, T)``; infinite where a transfer has nothing.
        settings: of the estimate.
    """
    edges = band_edges(spectra.shape[1], settings.fewest)
    counts = np.diff(edges)[:, None]
    covariance = np.stack([
        np.stack([_cells(a * b.conj(), edges, counts, settings.frames) for b in spectra]) for a in spectra
    ])  # fmt: skip
    here = np.isfinite(expected[:, 0])[:, None]
    usual = _cells(np.where(here, expected, 1.0), edges, counts, 1)
    # Frames three quarters of which overlap are half as many independent ones.
    number = counts * (1 + settings.frames) / 2
    sigma = usual
    n = len(spectra)
    diagonal = np.stack([covariance[i, i].real for i in range(n)])
    both = here[:, None] & here[None, :] & ~np.eye(n, dtype=bool)[:, :, None, None]
    music = np.maximum((covariance.real * both).sum(axis=(0, 1)) / np.maximum(both.sum(axis=(0, 1)), 1), 1e-30)
    for _ in range(settings.rounds):
        inverse = here / sigma
        spread = 1 / (1 / music + inverse.sum(axis=0))
        share = spread * inverse
        cross = np.einsum("jbt,jibt->ibt", share, covariance).real
        music = (cross * share).sum(axis=0) + spread
        found = np.maximum(diagonal - 2 * cross + music, 0.0)
        sigma = np.where(here, (number * found + settings.prior * usual) / (number + settings.prior), usual)
    return np.asarray(sigma / usual)


def _cells(values: NDArray, edges: NDArray[np.int64], counts: NDArray[np.int64], frames: int) -> NDArray:
    """Means of ``(..., F, T)`` over bands and the frames about each."""
    means = np.add.reduceat(values, edges[:-1], axis=-2) / counts
    return scipy.ndimage.uniform_filter1d(means, frames, axis=-1, mode="nearest") if frames > 1 else means


def weights_of(spectra: NDArray[np.complexfloating], expected: Values, settings: WeightSettings) -> Values:
    """The weight of each transfer in each bin and frame, ``(N, F, T)``: they add up to 1.

    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((2, 64, 50)) * np.array([1.0, 2.0])[:, None, None]
    >>> w = weights_of(noise + 0j, np.ones((2, 64, 50)), WeightSettings())
    >>> bool(0.65 < w[0].mean() < 0.85)
    True
    """
    edges = band_edges(spectra.shape[1], settings.fewest)
    cells = np.log(noise_in_cells(spectra, expected, settings))
    middles = 0.5 * (edges[1:] + edges[:-1] - 1)
    place = np.interp(np.arange(spectra.shape[1]), middles, np.arange(len(middles)))
    below = np.minimum(place.astype(int), max(len(middles) - 2, 0))
    above = np.minimum(below + 1, len(middles) - 1)
    part = (place - below)[:, None]
    noise = expected * np.exp(cells[:, below] * (1 - part) + cells[:, above] * part)
    inverse = 1 / np.maximum(noise, 1e-30)
    return np.asarray(inverse / inverse.sum(axis=0))
