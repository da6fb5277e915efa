"""Smoothing a measured delay: what moves slowly or turns with the record stays, the error of measurement goes.

Two steps. Whittaker's smoother (second differences; Eilers, "A perfect smoother", Analytical Chemistry 75, 2003) with
weights, from which outliers are taken, fills what could not be measured. Then a Wiener gain in windows of 24 s: wow is
a line at the record's rotation and drift lies below it, while errors are spread over all frequencies.
"""

import numpy as np
import scipy.linalg
import scipy.ndimage
from numpy.typing import NDArray

Values = NDArray[np.float64]
# Values farther off than so many times the usual error are outliers.
_OUTLIER = 4.0
# Noise of a periodogram exceeds four times its mean in 2 % of bins.
# Where nothing is known the curve goes back to zero within some 8 values.
_TRACE = 1e-3
_MARGIN = 4.0
_SEGMENT = 512
# The best tenth of values is taken as it is, the others according to their weights.
_SURE, _ROUNDS = 0.9, 12
# Above this part of the highest frequency there is no wow: the errors' own level is read there.
_ERRORS_FROM = 0.4


def fitted(values: Values, weights: Values, *, stiffness: float) -> Values:
    """The smooth curve through ``(n,)`` values of given weights, without outliers; zero where nothing is known.

    Args:
        values: at even distances.
        weights: inverse variances up to a factor; 0 where nothing was measured.
        stiffness: 1 smooths what is faster than a sixth of the sampling frequency, 16 halves that.

    >>> ramp = np.arange(50.0)
    >>> wild = ramp + 30 * (np.arange(50) == 20)
    >>> bool(np.abs(fitted(wild, np.ones(50), stiffness=4.0) - ramp)[5:45].max() < 0.2)
    True
    """
    known = weights > 0
    if known.sum() < 3:
        return np.zeros(len(values))
    # The root of the weights: with the weights themselves wow was lost where the music is soft.
    usual = np.median(weights[known])
    return _whittaker(values, np.where(_outliers(values, known), 0.0, np.sqrt(weights / usual)), stiffness)


def _outliers(values: Values, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What lies far from the values about it, by the scatter of the second about it."""
    off = np.abs(values - scipy.ndimage.median_filter(values, 9))
    return ~known | (off > _OUTLIER * 1.4826 * scipy.ndimage.median_filter(off, 41) + 1e-15)


def _whittaker(values: Values, weights: Values, stiffness: float) -> Values:
    n = len(values)
    bands = np.zeros((3, n))
    bands[2] = 6
    bands[2, [0, -1]], bands[2, [1, -2]] = 1, 5
    bands[1, 1:], bands[1, [1, -1]] = -4, -2
    bands[0, 2:] = 1
    bands *= stiffness
    bands[2] += weights + _TRACE
    return np.asarray(scipy.linalg.solveh_banded(bands, weights * values))


def without_errors(values: Values, curve: Values, weights: Values) -> Values:
    """``(n,)`` values less their errors of measurement; ``curve`` is a smooth one through them, which fills gaps.

    >>> rng = np.random.default_rng(0)
    >>> t = np.arange(2000.0)
    >>> wow = 10 * np.sin(2 * np.pi * t / 16.5)
    >>> done = without_errors(wow + rng.standard_normal(2000), wow, np.ones(2000))
    >>> bool(np.std(done - wow) < 0.3)
    True
    """
    n = len(values)
    if n < _SEGMENT // 2:
        return curve
    known = weights > 0
    trust = np.clip(weights / np.quantile(weights[known], _SURE), 0, 1)
    trust[_outliers(values - curve, known)] = 0.0
    # Values as uncertain as the best have, given the curve; then the curve, given those (EM for uneven errors).
    for _ in range(_ROUNDS):
        curve = _wiener(curve + trust * (values - curve))
    return curve


def _wiener(values: Values) -> Values:
    n = len(values)
    line = np.linspace(values[:20].mean(), values[-20:].mean(), n)
    padded = np.pad(values - line, _SEGMENT // 2, mode="reflect", reflect_type="odd")
    padded = np.pad(padded, (_SEGMENT // 2, _SEGMENT), mode="edge")
    window = np.hanning(_SEGMENT + 1)[:-1]
    hop = _SEGMENT // 4
    done, total = np.zeros(len(padded)), np.zeros(len(padded))
    ramp = np.linspace(-1, 1, _SEGMENT)
    for start in range(0, len(padded) - _SEGMENT + 1, hop):
        part = slice(start, start + _SEGMENT)
        tilt = np.polyval(np.polyfit(ramp, padded[part], 1), ramp)
        done[part] += window * tilt + np.fft.irfft(_shrunk(np.fft.rfft(window * (padded[part] - tilt))), _SEGMENT)
        total[part] += window
    return np.asarray((done / np.maximum(total, 1e-9))[_SEGMENT : _SEGMENT + n] + line)


def _shrunk(spectrum: NDArray[np.complex128]) -> NDArray[np.complex128]:
    power = np.abs(spectrum) ** 2
    errors = float(np.median(power[round(_ERRORS_FROM * len(power)) :])) / np.log(2)
    return spectrum * np.clip(1 - _MARGIN * errors / np.maximum(power, 1e-30), 0, None)
