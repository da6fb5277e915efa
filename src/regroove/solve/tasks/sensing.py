"""Compressive sensing: a recording of which a random share of the samples was kept and the others set to zero."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from regroove.errors import SettingsError
from regroove.operators.mask import Mask
from regroove.restoration.engines.engine import block_seed
from regroove.solve.checks import check_method
from regroove.solve.detection import find_missing
from regroove.solve.methods.autoregressive import fill
from regroove.solve.methods.sparse import SparseSettings, power_of_two, sparse_reconstruction
from regroove.solve.prior import Prior, PriorSettings, load_prior, refine, rms
from regroove.solve.solver import Job, Samples, pieces, stretches

METHODS = ("auto", "ar", "sparse", "spline", "diffusion")
# Seconds: the pieces that are worked on and what is seen around them; for the autoregressive method much smaller
# ones, and how far back its model looks; the windows of the sparse method.
CORE, CONTEXT, WINDOW = 4.0, 0.3, 0.093
AR_CORE, AR_CONTEXT, MEMORY = 0.093, 0.0116, 0.00145
PULL, ROUNDS = 1e-4, 4
# Where at least this share was kept the autoregressive method is closer, else the sparse one, refined by the prior.
ENOUGH_FOR_AR = 0.35
# The highest noise level and the steps of the diffusion prior.
LEVEL, STEPS = 0.03, 3
# A recording without this many zeros was not sensed; one with more holds nothing to start from.
FEWEST_MISSING, MOST_MISSING = 0.02, 0.98


# Which samples of a stretch are missing.
Missing = Callable[[slice], NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True)
class SensingSolver:
    """Finds the samples that are missing; those that were kept stay as they are, bit for bit.

    ``mask``, ``(time,)`` or ``(channels, time)``, is false where samples are missing; None takes exact zeros.

    Raises:
        SettingsError: the method is unknown.
    """

    name = "sense"
    method: str = "auto"
    mask: NDArray[np.bool_] | None = None
    prior: PriorSettings = field(default_factory=PriorSettings)

    def __post_init__(self) -> None:
        check_method(self.method, METHODS, self.prior)

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        """Fill in one channel."""
        missing = self._missing(x, job.channel)
        share = sum(int(missing(there).sum()) for there in stretches(len(x), job.release)) / len(x)
        if self.mask is None and share > MOST_MISSING:
            raise SettingsError(f"{share:.0%} of the samples are zero, which leaves nothing to start from.")
        if share == 0 or (self.mask is None and share < FEWEST_MISSING):
            return {"missing_share": 0.0}
        method = self.method if self.method != "auto" else _method_for(share)
        # The prior refines the best start there is.
        start = _start_for(share) if method == "diffusion" else method
        seconds = (AR_CORE, AR_CONTEXT) if start == "ar" else (CORE, CONTEXT)
        core, context = (round(s * job.sample_rate) for s in seconds)
        for piece in pieces(len(x), core=core, context=context):
            gone = missing(piece.around)
            out[piece.core] = _filled(np.asarray(x[piece.around]), gone, start, job.sample_rate)[piece.inside]
            job.progress(piece.core.stop / len(x))
        found: dict[str, object] = {"missing_share": round(share, 6), "filled_by": method}
        return found | (self._redraw(out, missing, job) if method == "diffusion" else {})

    def _missing(self, x: Samples, channel: int) -> Missing:
        if self.mask is None:
            return lambda there: find_missing(x[there])
        mask = self.mask if self.mask.ndim == 1 else self.mask[channel]
        return lambda there: ~mask[there]

    def _redraw(self, out: Samples, missing: Missing, job: Job) -> dict[str, object]:
        prior = load_prior(self.prior)
        core, context = round(CORE * job.sample_rate), round(CONTEXT * job.sample_rate)
        for piece in pieces(len(out), core=core, context=context):
            seed = block_seed(job.seed, channel=job.channel, index=piece.index)
            gone = missing(piece.around)
            refined = self._refined(prior, out[piece.around], gone, job.sample_rate, seed)
            kept = np.where(gone, refined, out[piece.around])
            out[piece.core] = kept[piece.inside]
            job.progress(piece.core.stop / len(out))
        return prior.details

    def _refined(
        self, prior: Prior, start: Samples, missing: NDArray[np.bool_], sample_rate: int, seed: int
    ) -> Samples:
        operator = Mask(torch.from_numpy(~missing).float().to(prior.device))
        observation = operator.A(torch.from_numpy(np.array(start)).float()[None].to(prior.device))
        sigmas = self.prior.schedule(rms(start), level=LEVEL, steps=STEPS)
        return refine(
            prior, start, observation, operator, sigmas=sigmas, xi=self.prior.xi, sample_rate=sample_rate, seed=seed
        )

    def settings(self) -> dict[str, object]:
        """Every setting, JSON-ready."""
        return {"method": self.method, **asdict(self.prior)}


def _start_for(missing_share: float) -> str:
    return "ar" if 1 - missing_share >= ENOUGH_FOR_AR else "sparse"


def _method_for(missing_share: float) -> str:
    # Where the autoregressive method does well the prior does not better.
    return "ar" if _start_for(missing_share) == "ar" else "diffusion"


def _filled(y: Samples, missing: NDArray[np.bool_], method: str, sample_rate: int) -> Samples:
    if method == "spline":
        return spline(y, missing)
    if method == "ar":
        return autoregressive(y, missing, order=round(MEMORY * sample_rate))
    window = power_of_two(WINDOW * sample_rate)
    lower, upper = np.where(missing, -np.inf, y), np.where(missing, np.inf, y)
    return sparse_reconstruction(lower, upper, SparseSettings(window=window, hop=window // 4))


def spline(y: Samples, missing: NDArray[np.bool_]) -> Samples:
    """A cubic spline through the samples that were kept.

    >>> y = np.sin(np.arange(100) * 0.1)
    >>> bool(np.abs(spline(y, np.arange(100) % 4 == 2) - y).max() < 0.01)
    True
    """
    known, places = np.flatnonzero(~missing), np.flatnonzero(missing)
    if len(known) < 4:
        return y.copy()
    filled = y.copy()
    inner = places[(places > known[0]) & (places < known[-1])]
    largest = np.abs(y).max()
    filled[inner] = CubicSpline(known, y[known])(inner).clip(-2 * largest, 2 * largest)
    return filled


def autoregressive(y: Samples, missing: NDArray[np.bool_], *, order: int) -> Samples:
    """Autoregressive interpolation, from straight lines between the samples that were kept.

    >>> y = np.sin(np.arange(400) * 0.3)
    >>> bool(np.abs(autoregressive(y, np.arange(400) % 5 > 2, order=8) - y)[20:-20].max() < 0.01)
    True
    """
    known = np.flatnonzero(~missing)
    if len(known) < 4 or not missing.any():
        return y.copy()
    x = np.interp(np.arange(len(y)), known, y[known])
    for _ in range(ROUNDS):
        x = fill(x, missing, order=min(order, len(y) // 4), pull=PULL)
    return x
