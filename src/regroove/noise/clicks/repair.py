"""Repairs clicks: what lies under them is interpolated from both sides, the rest of the signal is left untouched.

Godsill and Rayner, "Digital Audio Restoration", Springer 1998, section 5.2: least-squares autoregressive
interpolation. Blocks lie on a fixed grid and see context that is thrown away, so a result does not depend on the size
of the chunks that a recording comes in, and memory does not grow with its length.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regroove.dsp.autoregression import Interpolation, Samples
from regroove.noise.clicks.detect import (
    HOP,
    PIECE,
    ClickSettings,
    Errors,
    find_clicks,
    prediction_errors,
    update_errors,
)
from regroove.parallel import ParallelMap

BLOCK = 256 * HOP
CONTEXT = 8 * HOP
# Of estimates of how loud a click is.
ROUNDS = 2


@dataclass(frozen=True)
class Repaired:
    """``samples`` ``(time,)``; where they were ``interpolated`` and where a click was too ``long``, both bool."""

    samples: Samples
    interpolated: NDArray[np.bool_]
    long: NDArray[np.bool_]


def repair_clicks(signal: Samples, *, sample_rate: int, settings: ClickSettings | None = None) -> Repaired:
    """Find the clicks in ``(time,)`` samples and interpolate those that last 5 ms at most.

    >>> times = np.arange(44100) / 44100
    >>> music = 0.1 * np.sin(2 * np.pi * 440 * times) + 1e-4 * np.random.default_rng(1).standard_normal(44100)
    >>> clicked = music.copy()
    >>> clicked[20000:20030] += 0.3
    >>> repaired = repair_clicks(clicked, sample_rate=44100).samples
    >>> bool(np.abs(repaired - music).max() < 0.01)
    True
    """
    settings = settings or ClickSettings()
    inside = slice(HOP, HOP + len(signal))
    original = np.pad(np.asarray(signal, dtype=np.float64), (HOP, HOP + -len(signal) % HOP))
    samples = original.copy()
    damaged, long = np.zeros(len(samples), dtype=bool), np.zeros(len(samples), dtype=bool)
    errors = prediction_errors(samples, settings)
    for left in reversed(range(settings.passes)):
        clicks = find_clicks(samples, errors, sample_rate=sample_rate, settings=settings)
        _mark(long, clicks.long)
        if not len(clicks.spans):
            break
        _mark(damaged, clicks.spans)
        if left:
            before, samples = samples, _interpolated(original, damaged, errors)
            update_errors(errors, samples, before=before)
    if damaged.any():
        samples = _interpolated(original, damaged, errors, usual=clicks.usual)
    return Repaired(samples[inside], damaged[inside], (long & ~damaged)[inside])


def _mark(mask: NDArray[np.bool_], spans: NDArray[np.intp]) -> None:
    for start, end in spans:
        mask[start:end] = True


def _interpolated(
    samples: Samples, damaged: NDArray[np.bool_], errors: Errors, *, usual: NDArray[np.float32] | None = None
) -> Samples:
    """Interpolate damaged samples, those that touch each other's surroundings together, as a group.

    With the ``usual`` error ``(pieces,)`` the click's power is taken into account, as estimated from what the
    interpolation changed: slow parts of the music, which a click changes little and an interpolation guesses badly,
    are thereby kept. Without it nothing is taken from the damaged samples themselves.
    """
    unknown = np.flatnonzero(damaged)
    order = errors.models.shape[-1] - 1
    first = np.append(0, np.flatnonzero(np.diff(unknown) > order) + 1)
    counts = np.diff(first, append=len(unknown))
    group = np.repeat(np.arange(len(first)), counts)
    model = errors.models[(unknown[first] + unknown[first + counts - 1]) // 2 // HOP]
    interpolation = Interpolation(samples, unknown, model=model, group=group)
    found = interpolation.values()
    if usual is not None:
        power = np.maximum.reduceat(usual[unknown // PIECE], first).astype(np.float64) ** 2
        for _ in range(ROUNDS):
            click = np.add.reduceat((samples[unknown] - found) ** 2, first) / counts
            found = interpolation.values(power / np.maximum(click, power))
    repaired = samples.copy()
    repaired[unknown] = found
    return repaired


@dataclass(frozen=True)
class _Block:
    """The core of a block, and how many clicks in it were interpolated and were too long for that."""

    samples: Samples
    repaired: int = 0
    left: int = 0


class ClickRepairer:
    """Repairs one channel that comes in chunks of any size; what goes out is delayed.

    ``repaired`` and ``left`` count the clicks that were interpolated and those that were too long; ``workers`` blocks
    are repaired at a time.

    >>> repairer = ClickRepairer(sample_rate=44100)
    >>> len(repairer.process(np.zeros(100_000))), len(repairer.flush())
    (0, 100000)
    """

    def __init__(self, *, sample_rate: int, settings: ClickSettings | None = None, workers: int = 1) -> None:
        self._rate, self._settings = sample_rate, settings or ClickSettings()
        self._pending = np.zeros(CONTEXT)
        self._blocks: ParallelMap[Samples, _Block] = ParallelMap(self._block, workers=workers)
        self._missing = self.repaired = self.left = 0

    def process(self, chunk: Samples) -> Samples:
        """Take ``(time,)`` more samples; returns those that are done, often none."""
        self._missing += len(chunk)
        return self._given(self._cut(chunk))

    def flush(self) -> Samples:
        """The samples that are still missing."""
        left = len(self._pending) - CONTEXT
        done = [*self._cut(np.zeros(CONTEXT + -left % BLOCK)), *self._blocks.rest()]
        self._pending = np.zeros(CONTEXT)
        return self._given(done)

    def _cut(self, chunk: Samples) -> list[_Block]:
        self._pending = np.concatenate([self._pending, chunk])
        done: list[_Block] = []
        while len(self._pending) >= BLOCK + 2 * CONTEXT:
            done += self._blocks.push(self._pending[: BLOCK + 2 * CONTEXT])
            self._pending = self._pending[BLOCK:]
        return done

    def _given(self, done: list[_Block]) -> Samples:
        self.repaired += sum(block.repaired for block in done)
        self.left += sum(block.left for block in done)
        samples = np.concatenate([np.zeros(0), *(block.samples for block in done)])[: self._missing]
        self._missing -= len(samples)
        return samples

    def _block(self, samples: Samples) -> _Block:
        core = slice(CONTEXT, CONTEXT + BLOCK)
        if not samples.any():
            return _Block(samples[core])
        done = repair_clicks(samples, sample_rate=self._rate, settings=self._settings)
        return _Block(done.samples[core], repaired=_starts(done.interpolated, core), left=_starts(done.long, core))


def _starts(mask: NDArray[np.bool_], core: slice) -> int:
    """How many stretches begin within the core."""
    return int(np.count_nonzero(np.diff(mask[core.start - 1 : core.stop].astype(np.int8)) == 1))
