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
# Seconds between the knots of the drift and of the strengths, and harmonics of the rotation. Finer knots of the drift
# had larger errors in music at 10 dB (0.13 samples for 0.07); coarser ones missed it. Strengths that are straight for
# 6 s missed that drift bends wow (0.04 samples without any noise).
_DRIFT, _STRENGTH, _HARMONICS = 1.0, 3.0, 3
# How far the strengths bend from knot to knot (standard deviation), in seconds: 0.2 samples at 44.1 kHz. With 0.1 and 2
# the errors were 0.066 and 0.083 samples at 10 dB, 0.041 and 0.037 at 20.
_BEND = 0.2 / 44_100
# Rotations that are looked for, in hertz: from below 33 1/3 to above 80 turns a minute.
_ROTATIONS = (0.5, 1.45)
# Errors are Student's t of so many degrees of freedom: that has room for frames that are farther off than they know
# (Lange, Little and Taylor, "Robust statistical modeling using the t distribution", JASA 84, 1989).
_FREEDOM, _ROUNDS = 4, 6
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
    basis, prior = basis_of(at, rotation_of(at, start, weights)), prior_of(at)
    curve = start
    for _ in range(_ROUNDS):
        used = weights * (_FREEDOM + 1) / (_FREEDOM + weights * (values - curve) ** 2)
        curve = _solved(basis, prior, values, used)
    # What the model does not hold, if it is more than errors.
    left = values - curve
    return curve + without_errors(left, np.zeros(len(at)), used)


def rotation_of(at: Values, curve: Values, weights: Values) -> float:
    """The rotation, in hertz, whose harmonics are strongest in a curve at even distances, where it is well known."""
    step = (at[-1] - at[0]) / (len(at) - 1)
    fast = curve - fitted(curve, np.ones(len(curve)), stiffness=(1.0 / (2 * np.pi * 0.3 * step)) ** 4)
    size = 1 << (8 * len(fast)).bit_length()
    trust = np.minimum(weights / np.median(weights[weights > 0]), 1.0)
    power = np.abs(np.fft.rfft(trust * fast * np.hanning(len(fast)), size)) ** 2
    first, last = (round(f * size * step) for f in _ROTATIONS)
    bins = np.arange(first, min(last, len(power) // 2))
    # A second harmonic counts for as much as its fundamental, so that half the rotation is not taken for it.
    return float(bins[np.argmax(power[bins] + np.minimum(power[2 * bins], power[bins]))] / (size * step))


def basis_of(at: Values, rotation: float) -> scipy.sparse.csr_matrix:
    """What each number of a curve does at ``at`` seconds, ``(T, numbers)``; a rotation is in hertz."""
    strengths = _splines(at, _STRENGTH)
    parts = [_splines(at, _DRIFT)]
    for harmonic in range(1, _HARMONICS + 1):
        phase = 2 * np.pi * rotation * harmonic * at
        parts += [scipy.sparse.diags(wave) @ strengths for wave in (np.cos(phase), np.sin(phase))]
    return scipy.sparse.csr_matrix(scipy.sparse.hstack(parts))


def prior_of(at: Values) -> scipy.sparse.csr_matrix:
    """The inverse covariance of the numbers of the basis: strengths hardly bend."""
    bends = np.diff(np.eye(_splines(at, _STRENGTH).shape[1]), n=2, axis=0) / _BEND
    drift = scipy.sparse.csr_matrix((_splines(at, _DRIFT).shape[1],) * 2)
    return scipy.sparse.block_diag([drift, *[bends.T @ bends] * (2 * _HARMONICS)], format="csr")


def _splines(at: Values, step: float) -> scipy.sparse.csr_matrix:
    """Cubic splines with knots about ``step`` seconds apart."""
    count = max(round((at[-1] - at[0]) / step), 1)
    step = (at[-1] - at[0]) / count
    knots = at[0] + step * np.arange(-3, count + 4)
    return BSpline.design_matrix(np.clip(at, knots[3], knots[-4] - 1e-9), knots, 3)


def _solved(basis: scipy.sparse.csr_matrix, prior: scipy.sparse.csr_matrix, values: Values, weights: Values) -> Values:
    weighted = basis.T @ scipy.sparse.diags(weights)
    # A little against numbers that nothing was measured for.
    little = 1e-3 * np.median(weights[weights > 0]) * scipy.sparse.identity(basis.shape[1])
    normal = (weighted @ basis + prior + little).tocsc()
    return np.asarray(basis @ scipy.sparse.linalg.spsolve(normal, weighted @ values))
