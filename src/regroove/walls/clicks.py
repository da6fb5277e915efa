"""Clicks in one wall are filled from the other.

The difference of aligned walls holds no music, so a click stands far out of it. Which wall it is in shows in the mean
of both: its prediction error there has the sign of the wall. That is regression under an autoregressive model of music
(Godsill and Rayner, "Digital Audio Restoration", 1998, section 5.2), with the other wall as what is known.
"""

import numpy as np
from numpy.typing import NDArray

from regroove.dsp.autoregression import Samples
from regroove.noise.clicks.detect import HOP, ClickSettings, find_clicks, prediction_errors

# What the regression has to exceed: halfway between both walls alike (0) and one wall alone (a half).
ONE_WALL = 0.25
# Samples over which the other wall is faded in and out: 0.2 ms.
FADE = 8


def fill_clicks(walls: Samples, *, sample_rate: int) -> Samples:
    """Aligned walls ``(2, time)``, a multiple of 1024 samples, with clicks of one replaced by the other.

    >>> rng = np.random.default_rng(1)
    >>> walls = 0.1 * np.sin(0.05 * np.arange(8192)) + 1e-3 * rng.standard_normal((2, 8192))
    >>> clicked = walls.copy()
    >>> clicked[1, 4000:4020] += 0.1
    >>> filled = fill_clicks(clicked, sample_rate=44_100)
    >>> bool(np.abs(filled - walls)[1].max() < 0.01), bool((filled[0] == walls[0]).all())
    (True, True)
    """
    difference = walls[0] - walls[1]
    settings = ClickSettings()
    errors = prediction_errors(difference, settings)
    spans = find_clicks(difference, errors, sample_rate=sample_rate, settings=settings).spans
    if not len(spans):
        return walls
    music = walls.mean(axis=0)
    models = prediction_errors(music, settings).models
    weights = np.zeros(walls.shape)
    for first, last in spans:
        reach = slice(max(first - settings.order, 0), last + settings.order)
        model = models[min((first + last) // 2 // HOP, len(models) - 1)]
        ours, theirs = (np.convolve(x[reach], model, mode="valid") for x in (music, difference))
        share = float(ours @ theirs) / max(float(theirs @ theirs), 1e-30)
        if abs(share) > ONE_WALL:
            _raise(weights[0 if share > 0 else 1], first, last)
    return np.stack([walls[0] - weights[0] * difference, walls[1] + weights[1] * difference])


def _raise(weights: NDArray[np.float64], first: int, last: int) -> None:
    """One from ``first`` to ``last``, and raised cosines on either side."""
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)
    shape = np.concatenate([ramp, np.ones(last - first), ramp[::-1]])
    begin = max(first - FADE, 0)
    shape = shape[begin - (first - FADE) :][: len(weights) - begin]
    weights[begin : begin + len(shape)] = np.maximum(weights[begin : begin + len(shape)], shape)
