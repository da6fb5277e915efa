"""A time map's curve as the sum of a slow drift and of what turns with the record.

Wow comes from a hole that is not in the middle, and from warped discs: it is a few harmonics of the rotation, whose
strengths hardly change within some turns. A curve of so few numbers is known much better than each moment of it.
"""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from regroove.walls.transfers.smooth import fitted, without_errors

Values = NDArray[np.float64]
# Seconds between the knots of the drift and of the strengths, and harmonics of the rotation. Finer knots, or strengths
# that change faster, had larger errors in music at 10 dB (0.10 samples for 0.09); coarser ones missed the drift.
_DRIFT, _STRENGTH, _HARMONICS = 1.0, 6.0, 3
# Rotations that are looked for, in hertz: from below 33 1/3 to above 80 turns a minute.
_ROTATIONS = (0.5, 1.45)
# Values farther from the curve than so many times the usual error are left out.
_FAR = 5.0
_SHORTEST = 12.0


def turning(at: Values, values: Values, weights: Values, *, start: Values) -> Values:
    """The curve through ``(n,)`` values at ``at`` seconds, of inverse variances ``weights``.

    Args:
        start: a smooth curve through them; it is returned where the piece is too short for the model.

    >>> rng = np.random.default_rng(0)
    >>> at = 0.046 * np.arange(1000)
    >>> true = 0.1 * at + 5 * np.sin(2 * np.pi * 1.3 * at)
    >>> noisy = true + rng.standard_normal(1000)
    >>> curve = turning(at, noisy, np.ones(1000), start=fitted(noisy, np.ones(1000), stiffness=2.0))
    >>> bool(np.std(curve - true) < 0.45)
    True
    """
    known = weights > 0
    if at[-1] - at[0] < _SHORTEST or known.sum() < len(at) // 4:
        return start
    trust = weights / np.median(weights[known])
    basis = _basis(at, rotation_of(at, start))
    curve = start
    for _ in range(3):
        off = np.abs(values - curve) * np.sqrt(trust)
        used = np.where(off <= _FAR * 1.4826 * np.median(off[known]), trust, 0.0)
        curve = _solved(basis, values, used)
    # What the model does not hold, if it is more than errors.
    left = values - curve
    return curve + without_errors(left, np.zeros(len(at)), used)


def rotation_of(at: Values, curve: Values) -> float:
    """The rotation, in hertz, whose harmonics are strongest in a curve at even distances."""
    step = (at[-1] - at[0]) / (len(at) - 1)
    fast = curve - fitted(curve, np.ones(len(curve)), stiffness=(1.0 / (2 * np.pi * 0.3 * step)) ** 4)
    size = 1 << (8 * len(fast)).bit_length()
    power = np.abs(np.fft.rfft(fast * np.hanning(len(fast)), size)) ** 2
    first, last = (round(f * size * step) for f in _ROTATIONS)
    bins = np.arange(first, min(last, len(power) // 2))
    return float(bins[np.argmax(power[bins] + power[2 * bins])] / (size * step))


def _basis(at: Values, rotation: float) -> scipy.sparse.csr_matrix:
    strengths = _splines(at, _STRENGTH)
    parts = [_splines(at, _DRIFT)]
    for harmonic in range(1, _HARMONICS + 1):
        phase = 2 * np.pi * rotation * harmonic * at
        parts += [scipy.sparse.diags(wave) @ strengths for wave in (np.cos(phase), np.sin(phase))]
    return scipy.sparse.csr_matrix(scipy.sparse.hstack(parts))


def _splines(at: Values, step: float) -> scipy.sparse.csr_matrix:
    """Cubic splines with knots about ``step`` seconds apart."""
    count = max(round((at[-1] - at[0]) / step), 1)
    step = (at[-1] - at[0]) / count
    knots = at[0] + step * np.arange(-3, count + 4)
    return BSpline.design_matrix(np.clip(at, knots[3], knots[-4] - 1e-9), knots, 3)


def _solved(basis: scipy.sparse.csr_matrix, values: Values, weights: Values) -> Values:
    weighted = basis.T @ scipy.sparse.diags(weights)
    # A little against numbers that nothing was measured for.
    normal = (weighted @ basis + 1e-3 * scipy.sparse.identity(basis.shape[1])).tocsc()
    return np.asarray(basis @ scipy.sparse.linalg.spsolve(normal, weighted @ values))
