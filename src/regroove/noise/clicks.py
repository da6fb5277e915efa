"""Finds clicks and crackle: short stretches that nothing around them predicts.

Godsill and Rayner, "Digital Audio Restoration", Springer 1998, chapter 5: a short-term autoregressive model whitens
the signal; a click stands out of its prediction error, and more clearly of that error's matched filter. The error of
prediction from the past shows where a click begins, the error of prediction from the future where it ends.

What music does is told from clicks by what is around: after an onset the error stays high, after a click it returns
within a few milliseconds; and reeds, brass and voices give pulses too, but one after the other, of about one size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from regroove.dsp.autoregression import Samples, fit_autoregression

# Samples that one model is responsible for; it is fitted to as many again, half on either side.
HOP = 1024
# Samples that a peak is taken of before levels are compared.
PIECE = 32
QUIETEST = 1e-12
Spans = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class ClickSettings:
    """What is taken for a click.

    ``order`` is that of the models. A click's error reaches ``threshold`` times the usual one on both sides, and its
    extent is where the error exceeds ``edge`` times the usual one, with ``join`` samples in between at most. It lasts
    ``longest`` seconds at most and is ``lead`` times as large as all but the largest error within ``around`` seconds
    on either side. Clicks of a peak below ``faintest`` (full scale is 1) are left alone. ``passes`` is how often the
    search is repeated with what was found taken away.
    """

    order: int = 32
    threshold: float = 8.0
    edge: float = 3.0
    join: int = 24
    longest: float = 0.005
    around: float = 0.03
    lead: float = 2.0
    faintest: float = 3e-4
    passes: int = 3


@dataclass(frozen=True)
class Errors:
    """Prediction errors ``(time,)``: from the past, from the future, and the largest of both and the matched filter.

    ``models`` is ``(hops, order + 1)``.
    """

    forward: Samples
    backward: Samples
    largest: Samples
    models: Samples


@dataclass(frozen=True)
class Clicks:
    """Spans ``(count, 2)`` of first samples and those after the last: to be repaired, and too long for that."""

    spans: Spans
    long: Spans


def prediction_errors(signal: Samples, settings: ClickSettings) -> Errors:
    """Whiten ``(time,)``, a multiple of ``HOP`` samples, with a model for each hop.

    >>> noise = np.random.default_rng(1).standard_normal(4096)
    >>> round(float(prediction_errors(noise, ClickSettings()).forward.std()), 1)
    1.0
    """
    return Errors(*_whitened(signal, np.arange(len(signal) // HOP), settings))


def prediction_errors_again(signal: Samples, errors: Errors, *, before: Samples, settings: ClickSettings) -> Errors:
    """The errors of a signal that has changed a little since its ``errors`` were computed, ``before``.

    >>> noise = np.random.default_rng(1).standard_normal(8192)
    >>> mended = noise.copy()
    >>> mended[5000:5010] = 0.0
    >>> again = prediction_errors_again(
    ...     mended, prediction_errors(noise, ClickSettings()), before=noise, settings=ClickSettings()
    ... )
    >>> bool((again.largest == prediction_errors(mended, ClickSettings()).largest).all())
    True
    """
    # A model is fitted to the samples from half a hop before its own hop to half a hop after.
    changed = np.pad((signal != before).reshape(-1, HOP // 2).any(axis=1), 1)
    hops = np.flatnonzero(changed[:-3:2] | changed[1:-2:2] | changed[2:-1:2] | changed[3::2])
    if not len(hops):
        return errors
    old = (errors.forward, errors.backward, errors.largest, errors.models)
    return Errors(*(_with(a, hops, b) for a, b in zip(old, _whitened(signal, hops, settings), strict=True)))


def _with(values: Samples, hops: Spans, fresh: Samples) -> Samples:
    """A copy of the values of all hops, one after the other, with those of some replaced."""
    mended = values.copy().reshape(-1, fresh.size // len(hops))
    mended[hops] = fresh.reshape(len(hops), -1)
    return mended.reshape(values.shape)


def _whitened(signal: Samples, hops: Spans, settings: ClickSettings) -> tuple[Samples, Samples, Samples, Samples]:
    """The fields of :class:`Errors` for some of the hops."""
    order, size = settings.order, 2 * HOP
    frames = sliding_window_view(np.pad(signal, HOP // 2), size)[HOP * hops] * np.hanning(size)
    models = fit_autoregression(frames, order=order)
    pieces = sliding_window_view(np.pad(signal, order), HOP + 2 * order)[HOP * hops]
    spectra, filters = rfft(pieces, size), rfft(models, size)
    inside = slice(order, order + HOP)
    forward = irfft(spectra * filters, size)[:, inside]
    backward = irfft(spectra * filters.conj(), size)[:, inside]
    matched = irfft(spectra * np.abs(filters) ** 2, size)[:, inside]
    matched /= np.linalg.norm(models, axis=-1, keepdims=True)
    largest = np.maximum(np.maximum(np.abs(forward), np.abs(backward)), np.abs(matched))
    return forward.ravel(), backward.ravel(), largest.ravel(), models


def find_clicks(signal: Samples, errors: Errors, *, sample_rate: int, settings: ClickSettings) -> Clicks:
    """The clicks in ``(time,)`` samples, a multiple of ``HOP``, by their prediction errors.

    >>> rng = np.random.default_rng(1)
    >>> signal = 0.01 * rng.standard_normal(8192)
    >>> signal[4000:4020] += 0.5
    >>> settings = ClickSettings()
    >>> find_clicks(signal, prediction_errors(signal, settings), sample_rate=44100, settings=settings).spans
    array([[4000, 4020]])
    """
    peaks = errors.largest.reshape(-1, PIECE).max(axis=1)
    reach = _pieces(settings, sample_rate)
    usual = usual_error(errors, sample_rate=sample_rate, settings=settings)
    spans = _extents(errors, usual, settings)
    if not len(spans):
        return Clicks(spans, spans)
    height = _over(np.maximum, errors.largest, spans)
    level = _over(np.minimum, usual, spans)
    swing = _over(np.maximum, signal, spans, margin=1) - _over(np.minimum, signal, spans, margin=1)
    clear = (height > settings.threshold * level) & (swing > settings.faintest)
    clear &= ~_beside_silence(signal, spans, settings.order)
    spans, height = spans[clear], height[clear]
    spans = spans[height > settings.lead * _rivals(spans, peaks, reach)]
    long = spans[:, 1] - spans[:, 0] > settings.longest * sample_rate
    return Clicks(spans[~long], spans[long])


def _over(reduce: np.ufunc, values: Samples, spans: Spans, *, margin: int = 0) -> Samples:
    """``reduce`` over the values of each span, ``(count,)``; spans are in order and ``margin`` samples wider."""
    edges = np.stack([np.maximum(spans[:, 0] - margin, 0), np.minimum(spans[:, 1] + margin, len(values))], axis=1)
    # reduceat goes from each index to the next one: every other result is of what lies between the spans.
    padded = np.append(values, values[-1])
    return reduce.reduceat(padded, edges.ravel())[::2]


def _pieces(settings: ClickSettings, sample_rate: int) -> int:
    return round(settings.around * sample_rate / PIECE)


def usual_error(errors: Errors, *, sample_rate: int, settings: ClickSettings) -> Samples:
    """How large the error is about each sample ``(time,)``: before it, after it or in its own hop, the largest.

    Each is a median over pieces, so that clicks do not count. The hop counts because a click spoils the model of its
    own hop, and then nothing there is predicted well: that must not look like a click.
    """
    reach = _pieces(settings, sample_rate)
    level = errors.largest.reshape(-1, PIECE).mean(axis=1)
    padded = np.pad(level, reach, mode="edge")
    median = np.median(sliding_window_view(padded, reach), axis=-1)
    before, after = median[: len(level)], median[reach + 1 :]
    own = np.repeat(np.median(level.reshape(-1, HOP // PIECE), axis=1), HOP // PIECE)
    return np.repeat(np.maximum(np.maximum(before, after), np.maximum(own, QUIETEST)), PIECE)


def _extents(errors: Errors, usual: Samples, settings: ClickSettings) -> Spans:
    """Where the errors are above the edge: from where the past no longer predicts to where the future does not."""
    edge = settings.edge * usual
    past, future = np.abs(errors.forward) > edge, np.abs(errors.backward) > edge
    above = np.flatnonzero(past | future)
    if not len(above):
        return np.zeros((0, 2), dtype=np.intp)
    breaks = np.flatnonzero(np.diff(above) > settings.join)
    starts, ends = above[np.r_[0, breaks + 1]], above[np.r_[breaks, len(above) - 1]]
    begin, finish = _next(past)[starts], len(past) - 1 - _next(future[::-1])[len(past) - 1 - ends]
    tight = begin <= finish
    return np.stack([np.where(tight, begin, starts), np.where(tight, finish, ends) + 1], axis=1)


def _next(mask: NDArray[np.bool_]) -> Spans:
    """For each sample, the first at or after it where the mask holds; beyond the end where there is none."""
    at = np.where(mask, np.arange(len(mask)), len(mask))
    return np.minimum.accumulate(at[::-1])[::-1]


def _beside_silence(signal: Samples, spans: Spans, reach: int) -> NDArray[np.bool_]:
    """Whether digital silence follows or precedes: there the recording was cut, which is no click."""
    sounding = np.concatenate([[0], np.cumsum(signal != 0)])
    before = sounding[spans[:, 0]] - sounding[np.maximum(spans[:, 0] - reach, 0)]
    after = sounding[np.minimum(spans[:, 1] + reach, len(signal))] - sounding[spans[:, 1]]
    return (before == 0) | (after == 0)


def _rivals(spans: Spans, peaks: Samples, reach: int) -> Samples:
    """The second largest error on either side of each span, the larger of both, ``(count,)``."""
    # Missing pieces at the ends count as none.
    windows = sliding_window_view(np.pad(peaks, reach + 1), reach)
    first, last = spans[:, 0] // PIECE - 1, -(-spans[:, 1] // PIECE) + 1
    sides = [windows[np.clip(at, 0, len(windows) - 1)] for at in (first + 1, last + reach + 1)]
    return np.maximum(*(np.partition(side, -2, axis=-1)[:, -2] for side in sides))
