"""Finds clicks and crackle: short stretches that nothing around them predicts.

Godsill and Rayner, "Digital Audio Restoration", Springer 1998, chapter 5: a short-term autoregressive model whitens
the signal; a click stands out of its prediction error, and more clearly of that error's matched filter. The error of
prediction from the past shows where a click begins, the error of prediction from the future where it ends.

Transients of music differ from clicks in what surrounds them: after an onset the error stays high, after a click it
returns within a few milliseconds; and reeds, brass and voices give pulses too, but one after the other, of about one
size. When a string is picked or a drum struck, the error returns as well, because what rings is well predicted, but
only by a model of the ringing: one of what was before knows nothing of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import rank_filter

from regroove.dsp.autoregression import Samples, autocorrelation, models_from

# Samples that one model is responsible for; it is fitted to as many again, half on either side.
HOP = 1024
# Samples that a peak is taken of before levels are compared.
PIECE = 32
# Pieces before and after a click, and samples beside it that are left out, for telling it from an onset.
BESIDE, GUARD = 14, 64
# Hops that are whitened at once: as many as fit into a processor's cache.
BATCH = 64
QUIETEST = 1e-12
Floats = NDArray[np.float32]
Signal = NDArray[np.floating]
Spans = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class ClickSettings:
    """What is taken for a click.

    ``order`` is that of the models. A click's error reaches ``threshold`` times the usual one on both sides, and its
    extent is where the error exceeds ``edge`` times the usual one, with ``join`` samples in between at most. It lasts
    ``longest`` seconds at most and is ``lead`` times as large as all but the largest error within ``around`` seconds
    on either side. What follows is not worse predicted than ``onset`` times what was before, by a model of what was
    before. Clicks of a peak below ``faintest`` (full scale is 1) are left alone. ``passes`` is how often the
    search is repeated with what was found taken away.
    """

    order: int = 32
    threshold: float = 8.0
    edge: float = 3.0
    join: int = 24
    longest: float = 0.005
    around: float = 0.03
    lead: float = 2.0
    onset: float = 3.0
    faintest: float = 3e-4
    passes: int = 3


@dataclass(frozen=True)
class Errors:
    """Prediction errors ``(time,)``: from the past, from the future, and the largest of both and the matched filter.

    They are in single precision, and ``models``, ``(hops, order + 1)``, in double.
    """

    forward: Floats
    backward: Floats
    largest: Floats
    models: Samples


@dataclass(frozen=True)
class Clicks:
    """Spans ``(count, 2)`` of first samples and those after the last: to be repaired, and too long for that; and the
    ``usual`` error about each ``PIECE``, ``(pieces,)``."""

    spans: Spans
    long: Spans
    usual: Floats


def prediction_errors(signal: Samples, settings: ClickSettings) -> Errors:
    """Whiten ``(time,)``, a multiple of ``HOP`` samples, with a model for each hop.

    >>> noise = np.random.default_rng(1).standard_normal(4096)
    >>> round(float(prediction_errors(noise, ClickSettings()).forward.std()), 1)
    1.0
    """
    forward, backward, largest = (np.empty(len(signal), dtype=np.float32) for _ in range(3))
    errors = Errors(forward, backward, largest, np.empty((len(signal) // HOP, settings.order + 1)))
    _whiten(signal, np.arange(len(signal) // HOP), errors)
    return errors


def update_errors(errors: Errors, signal: Samples, *, before: Samples) -> None:
    """Bring ``errors`` up to date, in place: ``signal`` has changed here and there since they were computed.

    >>> noise = np.random.default_rng(1).standard_normal(8192)
    >>> mended = noise.copy()
    >>> mended[5000:5010] = 0.0
    >>> errors = prediction_errors(noise, ClickSettings())
    >>> update_errors(errors, mended, before=noise)
    >>> bool(np.allclose(errors.largest, prediction_errors(mended, ClickSettings()).largest))
    True
    """
    # A model is fitted to the samples from half a hop before its own hop to half a hop after.
    changed = np.pad((signal != before).reshape(-1, HOP // 2).any(axis=1), 1)
    _whiten(signal, np.flatnonzero(changed[:-3:2] | changed[1:-2:2] | changed[2:-1:2] | changed[3::2]), errors)


def _whiten(signal: Samples, hops: Spans, errors: Errors) -> None:
    """Write the models and the errors of some hops."""
    order = errors.models.shape[-1] - 1
    padded, window = np.pad(signal, HOP // 2).astype(np.float32), np.hanning(2 * HOP).astype(np.float32)
    frames = sliding_window_view(padded, 2 * HOP)[::HOP]
    batches = [hops[i : i + BATCH] for i in range(0, len(hops), BATCH)]
    for at in batches:
        errors.models[at] = autocorrelation(frames[at] * window, order=order)
    errors.models[hops] = models_from(errors.models[hops])
    pieces = sliding_window_view(padded[HOP // 2 - order :], HOP + 2 * order)[::HOP]
    for at in batches:
        _filter(pieces[at], at, errors)


def _filter(pieces: Floats, hops: Spans, errors: Errors) -> None:
    """Write the errors of some hops, by their models; pieces ``(hops, HOP + 2 order)`` have the past and the future."""
    models = errors.models[hops].astype(np.float32)
    order = models.shape[-1] - 1
    # The next multiple of an eighth of a hop has no large prime factors.
    size = HOP // 8 * -(-8 * pieces.shape[-1] // HOP)
    signal, predictor = rfft(pieces, size), rfft(models, size)
    forward, backward, matched = (
        irfft(spectrum, size)[:, order : order + HOP]
        for spectrum in (signal * predictor, signal * predictor.conj(), signal * np.abs(predictor) ** 2)
    )
    for of, values in ((errors.forward, forward), (errors.backward, backward)):
        of.reshape(-1, HOP)[hops] = values
    matched /= np.linalg.norm(models, axis=-1, keepdims=True)
    largest = np.maximum(np.maximum(np.abs(forward), np.abs(backward)), np.abs(matched))
    errors.largest.reshape(-1, HOP)[hops] = largest


def find_clicks(signal: Samples, errors: Errors, *, sample_rate: int, settings: ClickSettings) -> Clicks:
    """The clicks in ``(time,)`` samples, a multiple of ``HOP``, by their prediction errors.

    >>> rng = np.random.default_rng(1)
    >>> signal = 0.01 * rng.standard_normal(8192)
    >>> signal[4000:4020] += 0.5
    >>> settings = ClickSettings()
    >>> find_clicks(signal, prediction_errors(signal, settings), sample_rate=44100, settings=settings).spans
    array([[4000, 4020]])
    """
    usual = _usual_error(errors, sample_rate=sample_rate, settings=settings)
    spans = _extents(errors, usual, settings)
    if not len(spans):
        return Clicks(spans, spans, usual)
    height = _over(np.maximum, errors.largest, spans)
    level = _over(np.minimum, usual, np.stack([spans[:, 0] // PIECE, -(-spans[:, 1] // PIECE)], axis=1))
    clear = height > settings.threshold * level
    spans, height = spans[clear], height[clear]
    if not len(spans):
        return Clicks(spans, spans, usual)
    peaks = errors.largest.reshape(-1, PIECE).max(axis=1)
    wider = np.stack([np.maximum(spans[:, 0] - 1, 0), np.minimum(spans[:, 1] + 1, len(signal))], axis=1)
    swing = _over(np.maximum, signal, wider) - _over(np.minimum, signal, wider)
    clear = (swing > settings.faintest) & ~_beside_silence(signal, spans, settings.order)
    clear &= height > settings.lead * _rivals(spans, peaks, _pieces(settings, sample_rate))
    spans = spans[clear]
    spans = spans[~_begins(signal, spans, errors.models, settings)]
    long = spans[:, 1] - spans[:, 0] > settings.longest * sample_rate
    return Clicks(spans[~long], spans[long], usual)


def _over(reduce: np.ufunc, values: Signal, spans: Spans) -> Signal:
    """``reduce`` over the values of each span, ``(count,)``, of which there is one at least; they are in order."""
    # reduceat goes from each index to the next one: every other result is of what lies between the spans.
    edges = spans.ravel()
    return reduce.reduceat(values, edges[:-1] if edges[-1] == len(values) else edges)[::2]


def _pieces(settings: ClickSettings, sample_rate: int) -> int:
    return round(settings.around * sample_rate / PIECE)


def _usual_error(errors: Errors, *, sample_rate: int, settings: ClickSettings) -> Floats:
    """How large the error is about each ``PIECE``: before it, after it or in its own hop, the largest; ``(pieces,)``.

    Each is a median over pieces, so that clicks do not count. The hop counts because a click spoils the model of its
    own hop, and then nothing there is predicted well: that must not look like a click.
    """
    reach = _pieces(settings, sample_rate)
    level = errors.largest.reshape(-1, PIECE).mean(axis=1)
    median = _running_median(np.pad(level, reach, mode="edge"), reach)
    before, after = median[: len(level)], median[reach + 1 :]
    own = np.repeat(np.median(level.reshape(-1, HOP // PIECE), axis=1), HOP // PIECE)
    return np.maximum(np.maximum(before, after), np.maximum(own, np.float32(QUIETEST)))


def _running_median(values: Floats, size: int) -> Floats:
    """The median of each stretch of ``size`` values."""
    middle = [rank_filter(values, rank, size=size) for rank in {(size - 1) // 2, size // 2}]
    return (sum(middle) / len(middle))[size // 2 :][: len(values) - size + 1]


def _extents(errors: Errors, usual: Floats, settings: ClickSettings) -> Spans:
    """Where the errors are above the edge: from where the past no longer predicts to where the future does not."""
    edge = (settings.edge * usual)[:, None]
    past, future = ((np.abs(e.reshape(-1, PIECE)) > edge).ravel() for e in (errors.forward, errors.backward))
    above = np.flatnonzero(past | future)
    if not len(above):
        return np.zeros((0, 2), dtype=np.intp)
    breaks = np.flatnonzero(np.diff(above) > settings.join)
    starts, ends = above[np.append(0, breaks + 1)], above[np.append(breaks, len(above) - 1)]
    past_at, future_at = np.append(np.flatnonzero(past), len(past)), np.append(-1, np.flatnonzero(future))
    begin, finish = past_at[np.searchsorted(past_at, starts)], future_at[np.searchsorted(future_at, ends, "right") - 1]
    tight = begin <= finish
    return np.stack([np.where(tight, begin, starts), np.where(tight, finish, ends) + 1], axis=1)


def _beside_silence(signal: Samples, spans: Spans, reach: int) -> NDArray[np.bool_]:
    """Whether digital silence follows or precedes: there the recording was cut, which is no click."""
    sides = spans[:, :1] - 1 - np.arange(reach), spans[:, 1:] + np.arange(reach)
    before, after = (
        ((signal[np.clip(at, 0, len(signal) - 1)] != 0) & (at >= 0) & (at < len(signal))).any(axis=1) for at in sides
    )
    return ~(before & after)


def _begins(signal: Samples, spans: Spans, models: Samples, settings: ClickSettings) -> NDArray[np.bool_]:
    """Whether something begins with each span, so that a model of what was before does not predict what follows."""
    # The model of two hops before is fitted to nothing of the span's own hop.
    before = models[np.maximum(spans[:, 0] // HOP - 2, 0)]
    inside = np.arange(-settings.order, BESIDE * PIECE)

    def error(first: Spans) -> Samples:
        samples = signal[np.clip(first[:, None] + inside, 0, len(signal) - 1)]
        predicted = np.einsum("snk,sk->sn", sliding_window_view(samples, settings.order + 1, axis=1)[..., ::-1], before)
        # A median over pieces, because other clicks may be near.
        return np.median(np.abs(predicted).reshape(len(spans), BESIDE, PIECE).mean(axis=-1), axis=-1)

    earlier = error(spans[:, 0] - GUARD - BESIDE * PIECE)
    return error(spans[:, 1] + GUARD) > settings.onset * np.maximum(earlier, QUIETEST)


def _rivals(spans: Spans, peaks: Floats, reach: int) -> Floats:
    """The second largest error on either side of each span, the larger of both, ``(count,)``."""
    # Missing pieces at the ends count as none.
    windows = sliding_window_view(np.pad(peaks, reach + 1), reach)
    first, last = spans[:, 0] // PIECE - 1, -(-spans[:, 1] // PIECE) + 1
    sides = [windows[np.clip(at, 0, len(windows) - 1)] for at in (first + 1, last + reach + 1)]
    return np.maximum(*(np.partition(side, -2, axis=-1)[:, -2] for side in sides))
