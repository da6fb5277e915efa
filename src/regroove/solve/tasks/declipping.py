"""Declipping: crests that were cut off, rebuilt above the level at which they were cut."""

from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from torch import Tensor

from regroove.errors import SettingsError
from regroove.restoration.engines.engine import block_seed
from regroove.solve.checks import check_method
from regroove.solve.detection import find_clip_levels
from regroove.solve.methods.sparse import SparseSettings, power_of_two, sparse_reconstruction
from regroove.solve.prior import Prior, PriorSettings, load_prior, refine, rms
from regroove.solve.solver import Job, Samples, pieces

METHODS = ("diffusion", "sparse", "spline")
# Seconds: the pieces that are worked on, what is seen around them, and the windows of the sparse method.
CORE, CONTEXT, WINDOW = 4.0, 0.3, 0.093
# The highest noise level and the steps of the diffusion prior.
LEVEL, STEPS = 0.1, 4


@dataclass(frozen=True, kw_only=True)
class DeclippingSolver:
    """Rebuilds clipped samples; everything else stays as it is, bit for bit.

    ``level`` is where both sides were cut, above 0; None finds the levels of each channel.

    Raises:
        SettingsError: the method is unknown or the level not positive.
    """

    name = "declip"
    method: str = "diffusion"
    level: float | None = None
    prior: PriorSettings = field(default_factory=PriorSettings)

    def __post_init__(self) -> None:
        check_method(self.method, METHODS, self.prior)
        if self.level is not None and not 0 < self.level < float("inf"):
            raise SettingsError(f"The clipping level must be positive, not {self.level:g}.")

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        """Declip one channel."""
        levels = find_clip_levels(x, release=job.release) if self.level is None else (-self.level, self.level)
        if levels is None:
            return {"clipped_at": None, "clipped_samples": 0}
        low, high = levels
        count = self._pieces(x, out, Limits(low=low, high=high), job)
        found: dict[str, object] = {"clipped_at": [v if np.isfinite(v) else None for v in levels]}
        if self.method == "diffusion" and count:
            found |= self._redraw(x, out, Limits(low=low, high=high), job)
        return {**found, "clipped_samples": count}

    def _pieces(self, x: Samples, out: Samples, limits: "Limits", job: Job) -> int:
        core, context = round(CORE * job.sample_rate), round(CONTEXT * job.sample_rate)
        window = power_of_two(WINDOW * job.sample_rate)
        sparse = SparseSettings(window=window, hop=window // 4)
        count = 0
        for piece in pieces(len(x), core=core, context=context):
            clipped = limits.clipped(x[piece.core])
            if clipped.any():
                count += int(clipped.sum())
                y = np.asarray(x[piece.around])
                rebuilt = spline(y, limits) if self.method == "spline" else limits.agree(limits.sparse(y, sparse), y)
                out[piece.core] = rebuilt[piece.inside]
            job.progress(piece.core.stop / len(x))
        return count

    def _redraw(self, x: Samples, out: Samples, limits: "Limits", job: Job) -> dict[str, object]:
        prior = load_prior(self.prior)
        core, context = round(CORE * job.sample_rate), round(CONTEXT * job.sample_rate)
        for piece in pieces(len(x), core=core, context=context):
            if limits.clipped(x[piece.core]).any():
                seed = block_seed(job.seed, channel=job.channel, index=piece.index)
                refined = self._refined(prior, out[piece.around], x[piece.around], limits, job.sample_rate, seed)
                # Not through float32: what was not clipped stays as it was.
                out[piece.core] = limits.agree(refined, x[piece.around])[piece.inside]
            job.progress(piece.core.stop / len(x))
        return prior.details

    def _refined(
        self, prior: Prior, start: Samples, y: Samples, limits: "Limits", sample_rate: int, seed: int
    ) -> Samples:
        operator = ClipLimits(limits)
        observation = torch.from_numpy(np.array(y)).float()[None]
        sigmas = self.prior.schedule(rms(start), level=LEVEL, steps=STEPS)
        return refine(
            prior, start, observation, operator, sigmas=sigmas, xi=self.prior.xi, sample_rate=sample_rate, seed=seed
        )

    def settings(self) -> dict[str, object]:
        """Every setting, JSON-ready."""
        return {"method": self.method, "clip_level": self.level, **asdict(self.prior)}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The levels at which a channel was cut; infinite where it was not."""

    low: float
    high: float

    def clipped(self, y: Samples) -> NDArray[np.bool_]:
        """Which samples lie at a level or beyond."""
        return (y <= self.low) | (y >= self.high)

    def agree(self, x: Samples, y: Samples) -> Samples:
        """Put unclipped samples back, and clipped ones where they must be: not inside the observed value.

        >>> Limits(low=-1.0, high=1.0).agree(np.array([0.2, 0.7]), np.array([0.1, 1.0]))
        array([0.1, 1. ])
        """
        beyond = np.where(y > 0, np.maximum(x, y), np.minimum(x, y))
        return np.where(self.clipped(y), beyond, y)

    def sparse(self, y: Samples, settings: SparseSettings) -> Samples:
        """The sparsest signal that would have been cut to ``y``."""
        clipped = self.clipped(y)
        lower = np.where(clipped & (y < 0), -np.inf, y)
        return sparse_reconstruction(lower, np.where(clipped & (y > 0), np.inf, y), settings)


class ClipLimits:
    """Clipping at two levels as a measurement; see :class:`regroove.operators.clip.Clip` for one."""

    def __init__(self, limits: Limits) -> None:
        self.low, self.high = limits.low, limits.high

    def A(self, x: Tensor) -> Tensor:
        """Clip."""
        return x.clamp(self.low, self.high)

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        """Keep what was not clipped; elsewhere the estimate lies at the clipping level or beyond it."""
        beyond = torch.where(y > 0, x.maximum(y), x.minimum(y))
        return torch.where((y <= self.low) | (y >= self.high), beyond, y)


def spline(y: Samples, limits: Limits) -> Samples:
    """A cubic spline through the samples that were not clipped, kept beyond the levels.

    >>> y = np.sin(np.arange(200) * 0.1)
    >>> bool(np.abs(spline(y.clip(-0.9, 0.9), Limits(low=-0.9, high=0.9)) - y).max() < 0.01)
    True
    """
    clipped = limits.clipped(y)
    known, places = np.flatnonzero(~clipped), np.flatnonzero(clipped)
    if len(known) < 4 or not len(places):
        return y.copy()
    guess = y.copy()
    # Beyond the outermost known samples a spline would run away.
    inner = places[(places > known[0]) & (places < known[-1])]
    guess[inner] = CubicSpline(known, y[known])(inner)
    # A long clipped stretch makes a spline overshoot without bound; no crest is this much higher than its level.
    return limits.agree(guess.clip(4 * y.min(), 4 * y.max()), y)
